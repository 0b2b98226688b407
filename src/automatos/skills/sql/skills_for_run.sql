-- What an agent's run needs of its skills, in their order; without those that are switched off.
CREATE OR REPLACE FUNCTION skills_for_run(wanted int[]) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name, 'description', s.description,
                                                'version', s.current_version, 'core_tokens', s.core_tokens,
                                                'tools_schema', s.tools_schema,
                                                'invocation', s.skill_metadata -> 'invocation') ORDER BY w.place)
            FROM unnest(wanted) WITH ORDINALITY AS w (id, place) JOIN public.skills s ON s.id = w.id WHERE s.is_active);
END $$;
