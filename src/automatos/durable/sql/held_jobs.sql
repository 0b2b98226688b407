-- Every job that some process has: what a new dispatcher counts with.
CREATE OR REPLACE FUNCTION durable.held_jobs()
RETURNS TABLE (name text, key text, workspace_id uuid, lane text, executor_id uuid, crashes int)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT j.name::text, j.key::text, j.workspace_id, j.lane::text, j.executor_id, j.crashes
                 FROM durable.jobs j WHERE j.executor_id IS NOT NULL ORDER BY j.executor_id, j.number;
END $$;
