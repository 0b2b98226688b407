-- Jobs that wait and lanes, as far as they were changed since a snapshot: what the dispatcher reads on with.
CREATE OR REPLACE FUNCTION durable.changes(kinds text[], since text)
RETURNS TABLE (
    name text, key text, workspace_id uuid, lane text, priority int, run_at timestamptz, is_parked boolean, crashes int,
    capacity int, mode text
)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
    seen pg_snapshot := since::pg_snapshot;
    first bigint := pg_snapshot_xmin(seen)::text::bigint;
BEGIN
    RETURN QUERY
    SELECT j.name::text, j.key::text, j.workspace_id, j.lane::text, j.priority, j.run_at, j.is_parked,
           CASE WHEN j.signal = 'cancel' THEN 0 ELSE j.crashes END, d.capacity, d.mode::text
    FROM (SELECT * FROM durable.jobs w WHERE w.executor_id IS NULL AND w.changed >= first
          ORDER BY w.changed OFFSET 0) j  -- by this order and no other, whatever the table looked like when it was planned
    LEFT JOIN LATERAL (SELECT * FROM durable.lanes l WHERE l.name = j.lane LIMIT 1) d ON true
    WHERE NOT pg_visible_in_snapshot(j.changed::text::xid8, seen) AND j.name = ANY(kinds);
    RETURN QUERY
    SELECT NULL::text, NULL::text, NULL::uuid, d.name::text, NULL::int, NULL::timestamptz, NULL::boolean, NULL::int,
           d.capacity, d.mode::text
    FROM durable.lanes d
    WHERE d.changed >= first AND NOT pg_visible_in_snapshot(d.changed::text::xid8, seen);
END $$;
