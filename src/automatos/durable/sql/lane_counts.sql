-- How many jobs of each lane run and wait; lanes without any are missing.
CREATE OR REPLACE FUNCTION durable.lane_counts(of_lanes text[])
RETURNS TABLE (lane text, running int, waiting int)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT j.lane::text, (count(*) FILTER (WHERE j.executor_id IS NOT NULL))::int,
                        (count(*) FILTER (WHERE j.executor_id IS NULL))::int
                 FROM durable.jobs j WHERE j.lane = ANY(of_lanes) GROUP BY j.lane;
END $$;
