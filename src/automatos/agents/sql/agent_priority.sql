-- The priority of an agent's jobs, 0 to 3; 1 where it has none.
CREATE OR REPLACE FUNCTION agent_priority(wanted int) RETURNS int LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT array_position(ARRAY['low', 'medium', 'high', 'critical'], configuration->>'priority_level') - 1
                     FROM public.agents WHERE id = wanted), 1);
END $$;
