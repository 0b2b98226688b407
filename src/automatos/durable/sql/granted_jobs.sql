-- What a process was given after a grant's number, in the order of the grants.
CREATE OR REPLACE FUNCTION durable.granted_jobs(who uuid, after bigint)
RETURNS TABLE (
    number bigint, name text, key text, workspace_id uuid, attempts int, crashes int, signal text, lane text, mode text
)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT j.number, j.name::text, j.key::text, j.workspace_id, j.attempts, j.crashes, j.signal::text, j.lane::text,
           coalesce(d.mode, 'open')::text
    FROM durable.jobs j LEFT JOIN LATERAL (SELECT * FROM durable.lanes l WHERE l.name = j.lane LIMIT 1) d ON true
    WHERE j.executor_id = who AND j.number > after ORDER BY j.number;
END $$;
