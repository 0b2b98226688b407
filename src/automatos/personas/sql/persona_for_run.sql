-- What an agent's run needs of its persona; NULL where that is switched off.
CREATE OR REPLACE FUNCTION persona_for_run(wanted uuid) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('id', id, 'slug', slug, 'name', name, 'category', category, 'scope', scope,
                                      'system_prompt', system_prompt, 'voice_description', voice_description,
                                      'suggested_temperature', suggested_temperature)
            FROM public.personas WHERE id = wanted AND is_active);
END $$;
