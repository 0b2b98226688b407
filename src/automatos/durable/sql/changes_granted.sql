-- What `changes` says and, where few of it may begin at once, the grants of it to the dispatcher's own process: one
-- trip in place of two. A row has either `seen` or `number`.
CREATE OR REPLACE FUNCTION durable.changes_granted(
    in_epoch bigint, dispatcher_id uuid, kinds text[], since text, most int
)
RETURNS TABLE (
    seen text, epoch bigint, name text, key text, workspace_id uuid, lane text, priority int, run_at timestamptz,
    is_parked boolean, crashes int, capacity int, mode text, number bigint, attempts int, signal text
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    names text[] := '{}';
    keys text[] := '{}';
    lanes text[] := '{}';
BEGIN
    FOR seen, epoch, name, key, workspace_id, lane, priority, run_at, is_parked, crashes, capacity, mode IN
        SELECT pg_current_snapshot()::text, d.epoch, c.* FROM durable.dispatcher d
        LEFT JOIN durable.changes(kinds, since) c ON true ORDER BY c.priority DESC, c.run_at LOOP
        RETURN NEXT;
        IF key IS NOT NULL AND crashes = 0 AND run_at <= clock_timestamp() THEN
            names := names || name; keys := keys || key; lanes := lanes || lane;
        END IF;
    END LOOP;
    IF cardinality(names) BETWEEN 1 AND most THEN
        RETURN QUERY
        SELECT NULL::text, NULL::bigint, g.name, g.key, g.workspace_id, g.lane, NULL::int, NULL::timestamptz,
               NULL::boolean, g.crashes, NULL::int, g.mode, g.number, g.attempts, g.signal
        FROM durable.grant_jobs(in_epoch, dispatcher_id, names, keys, lanes,
                                array_fill(dispatcher_id, ARRAY[cardinality(names)])) g;
    END IF;
END $$;
