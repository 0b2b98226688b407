-- Kept for the version before: take up to `wanted` waiting jobs, fairly between workspaces, within each lane's
-- capacity. `places` is how many jobs the process can have at once.
CREATE OR REPLACE FUNCTION durable.claim_without_dispatcher(holder uuid, wanted int, kinds text[], places int)
RETURNS TABLE (name text, key text, workspace_id uuid, attempts int, crashes int, signal text, lane text, mode text)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
    names text[];
    keys text[];
    lanes text[];
    most_crashes int;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    IF EXISTS (SELECT FROM durable.jobs p WHERE p.is_parked AND p.run_at <= now()) THEN
        UPDATE durable.jobs j SET is_parked = false
        FROM (SELECT p.name, p.key FROM durable.jobs p WHERE p.is_parked AND p.run_at <= now()
              ORDER BY p.run_at LIMIT 100 FOR UPDATE SKIP LOCKED) come
        WHERE j.name = come.name AND j.key = come.key;
    END IF;
    -- Of jobs that were in a process when it died, a process takes a quarter of its places, a sixteenth, at last one:
    -- so they part, until the one that kills its process is alone with jobs that were never in a dead one.
    SELECT CASE WHEN count(*) = 0 THEN 2147483647
                WHEN max(j.crashes) <= 2 AND count(*) < greatest(places / 16, 1) THEN 2
                WHEN max(j.crashes) <= 1 AND count(*) < greatest(places / 4, 1) THEN 1
                ELSE 0 END
    INTO most_crashes FROM durable.jobs j WHERE j.executor_id = holder AND j.crashes > 0;
    WITH RECURSIVE waiting AS (
        (SELECT j.workspace_id FROM durable.jobs j WHERE j.executor_id IS NULL AND NOT j.is_parked ORDER BY j.workspace_id LIMIT 1)
        UNION ALL
        SELECT (SELECT j.workspace_id FROM durable.jobs j
                WHERE j.executor_id IS NULL AND NOT j.is_parked AND j.workspace_id > w.workspace_id ORDER BY j.workspace_id LIMIT 1)
        FROM waiting w WHERE w.workspace_id IS NOT NULL
    ), busy AS (
        SELECT j.workspace_id, count(*)::int AS running FROM durable.jobs j
        WHERE j.executor_id IS NOT NULL GROUP BY j.workspace_id
    ), in_turn AS (
        SELECT w.workspace_id, coalesce(b.running, 0) AS running
        FROM waiting w LEFT JOIN busy b ON b.workspace_id = w.workspace_id
        WHERE w.workspace_id IS NOT NULL ORDER BY 2, random()
    ), chosen AS (
        -- Workspaces with less at work come first, so that the first few with anything to give have the best of all.
        SELECT t.running, o.* FROM in_turn t CROSS JOIN LATERAL (
            SELECT array_agg(f.name) AS names, array_agg(f.key) AS keys, array_agg(f.lane) AS lanes,
                   array_agg(f.crashes > 0) AS suspects
            FROM (
                WITH RECURSIVE lanes_of AS (
                    (SELECT j.lane FROM durable.jobs j WHERE j.executor_id IS NULL AND NOT j.is_parked
                     AND j.workspace_id = t.workspace_id
                     ORDER BY j.lane LIMIT 1)
                    UNION ALL
                    SELECT (SELECT j.lane FROM durable.jobs j WHERE j.executor_id IS NULL AND NOT j.is_parked
                            AND j.workspace_id = t.workspace_id AND j.lane > l.lane ORDER BY j.lane LIMIT 1)
                    FROM lanes_of l WHERE l.lane IS NOT NULL
                )
                SELECT w.* FROM lanes_of l
                LEFT JOIN LATERAL (SELECT * FROM durable.lanes d WHERE d.name = l.lane LIMIT 1) d ON true
                CROSS JOIN LATERAL (
                    SELECT j.name, j.key, j.lane, j.priority, j.run_at, j.crashes FROM durable.jobs j
                    WHERE j.executor_id IS NULL AND NOT j.is_parked AND j.workspace_id = t.workspace_id
                          AND j.lane = l.lane
                          AND j.run_at <= clock_timestamp() AND j.name = ANY(kinds)
                          AND (j.crashes <= most_crashes OR j.signal = 'cancel')
                    ORDER BY j.priority DESC, j.run_at
                    LIMIT CASE WHEN d.mode = 'open' THEN greatest(least(wanted, d.capacity - (
                                   SELECT count(*) FROM durable.jobs h
                                   WHERE h.lane = l.lane AND h.executor_id IS NOT NULL)), 0)
                               WHEN d.mode = 'held' THEN 0 ELSE wanted END) w
                ORDER BY w.priority DESC, w.run_at LIMIT wanted) f
            HAVING count(*) > 0) o
        LIMIT wanted
    )
    SELECT array_agg(s.name), array_agg(s.key), array_agg(s.lane) INTO names, keys, lanes
    FROM (SELECT r.*, count(*) FILTER (WHERE r.is_suspect) OVER (ROWS UNBOUNDED PRECEDING) AS suspects
          FROM (SELECT u.name, u.key, u.lane, u.is_suspect
                FROM chosen c CROSS JOIN LATERAL unnest(c.names, c.keys, c.lanes, c.suspects)
                     WITH ORDINALITY AS u (name, key, lane, is_suspect, nth)
                ORDER BY u.nth + c.running, random() LIMIT wanted) r) s
    WHERE NOT s.is_suspect OR s.suspects = 1;
    IF names IS NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(7246300, in_order.l)
    FROM (SELECT DISTINCT hashtext(u.l) AS l FROM unnest(lanes) AS u (l) WHERE u.l <> '' ORDER BY 1) AS in_order;
    RETURN QUERY
    WITH fitting AS (
        SELECT c.name, c.key, c.lane, coalesce(d.mode, 'closed') AS mode, d.capacity,
               row_number() OVER (PARTITION BY c.lane ORDER BY c.place) AS nth,
               CASE WHEN d.mode = 'open' THEN (
                   SELECT count(*) FROM durable.jobs h WHERE h.lane = c.lane AND h.executor_id IS NOT NULL) END AS running
        FROM unnest(names, keys, lanes) WITH ORDINALITY AS c (name, key, lane, place)
        LEFT JOIN durable.lanes d ON d.name = c.lane
    ), picked AS (
        -- A job may have been moved since it was chosen: then nobody has counted the lane it is in now.
        SELECT j.name, j.key, f.mode, f.capacity IS NULL AS is_free FROM durable.jobs j
        JOIN fitting f ON f.name = j.name AND f.key = j.key AND f.lane = j.lane
        WHERE j.executor_id IS NULL AND (f.mode = 'closed' OR f.mode = 'open' AND f.running + f.nth <= f.capacity)
        FOR UPDATE OF j SKIP LOCKED
    )
    UPDATE durable.jobs j SET executor_id = holder, attempts = j.attempts + 1
    FROM picked p WHERE j.name = p.name AND j.key = p.key
    RETURNING j.name::text, j.key::text, j.workspace_id, j.attempts, j.crashes, j.signal::text, j.lane::text,
              CASE WHEN p.is_free THEN 'open' ELSE p.mode END::text;
END $$;
