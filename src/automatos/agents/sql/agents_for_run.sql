-- What a run needs of its agents, so that starting a recipe reads it together with the recipe.
CREATE OR REPLACE FUNCTION agents_for_run(wanted int[]) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object(
        'id', a.id, 'name', a.name, 'description', a.description, 'agent_type', a.agent_type, 'status', a.status,
        'custom_persona_prompt', a.custom_persona_prompt, 'use_custom_persona', a.use_custom_persona,
        'model_config', a.model_config, 'configuration', a.configuration, 'version', a.version,
        'persona', CASE WHEN a.persona_id IS NOT NULL
                             AND NOT (a.use_custom_persona AND coalesce(a.custom_persona_prompt, '') <> '')
            THEN public.persona_for_run(a.persona_id) END,
        'skills', CASE WHEN EXISTS (SELECT FROM public.agent_skills l WHERE l.agent_id = a.id) THEN
            public.skills_for_run(ARRAY(
                SELECT l.skill_id FROM public.agent_skills l WHERE l.agent_id = a.id ORDER BY l.position)) END)
        ORDER BY a.id) FROM public.agents a WHERE a.id = ANY(wanted));
END $$;
