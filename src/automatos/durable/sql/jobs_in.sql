-- The jobs of a lane, waiting and held.
CREATE OR REPLACE FUNCTION durable.jobs_in(of_lane text)
RETURNS TABLE (key text, priority int, is_held boolean)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT j.key::text, j.priority, j.executor_id IS NOT NULL FROM durable.jobs j WHERE j.lane = of_lane;
END $$;
