-- Parked jobs whose time comes within a span, in its order.
CREATE OR REPLACE FUNCTION durable.due_jobs(kinds text[], after timestamptz, up_to timestamptz)
RETURNS TABLE (
    name text, key text, workspace_id uuid, lane text, priority int, run_at timestamptz, is_parked boolean, crashes int,
    capacity int, mode text
)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT j.name::text, j.key::text, j.workspace_id, j.lane::text, j.priority, j.run_at, j.is_parked,
           CASE WHEN j.signal = 'cancel' THEN 0 ELSE j.crashes END, d.capacity, d.mode::text
    FROM (SELECT * FROM durable.jobs p WHERE p.is_parked AND p.run_at > after AND p.run_at <= up_to
          ORDER BY p.run_at OFFSET 0) j
    LEFT JOIN LATERAL (SELECT * FROM durable.lanes l WHERE l.name = j.lane LIMIT 1) d ON true
    WHERE j.executor_id IS NULL AND j.name = ANY(kinds);
END $$;
