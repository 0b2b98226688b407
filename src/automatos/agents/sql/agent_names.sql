-- Names of agents by id.
CREATE OR REPLACE FUNCTION agent_names(ids int[]) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_object_agg(a.id, a.name) FROM public.agents a WHERE a.id = ANY(ids));
END $$;
