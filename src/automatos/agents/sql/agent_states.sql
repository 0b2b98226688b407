-- Name and state of agents by id, from which `AgentStates` tells who takes work; what is no agent is left out.
CREATE OR REPLACE FUNCTION agent_states(ids int[]) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_object_agg(a.id, jsonb_build_object('name', a.name, 'status', a.status,
                                                             'is_stopping', a.stopping IS NOT NULL))
            FROM public.agents a WHERE a.id = ANY(ids));
END $$;
