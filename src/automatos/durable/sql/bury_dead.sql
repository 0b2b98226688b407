-- Take the leases of dead processes away and free their jobs for others.
CREATE OR REPLACE FUNCTION durable.bury_dead(OUT jobs int, OUT first_ended_at timestamptz)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    -- Many jobs are in a process when it dies, and one of them may have killed it. Who was alone is to blame, and so is
    -- who has seen three deaths and was by now with such only as had seen none; for the others it is no attempt.
    WITH dead AS (DELETE FROM durable.executors WHERE expires_at <= clock_timestamp() RETURNING id, expires_at),
    orphaned AS (
        SELECT name, key, executor_id, count(*) OVER together = 1
               OR crashes >= 3 AND count(*) FILTER (WHERE crashes > 0) OVER together = 1 AS is_blamed
        FROM (SELECT * FROM durable.jobs h WHERE h.executor_id IS NOT NULL ORDER BY h.executor_id, h.number OFFSET 0) j
        WHERE (executor_id IN (SELECT id FROM dead)
            OR NOT EXISTS (SELECT FROM durable.executors e WHERE e.id = j.executor_id))
        WINDOW together AS (PARTITION BY executor_id)),
    freed AS (
        UPDATE durable.jobs j SET executor_id = NULL, run_at = clock_timestamp(), crashes = crashes + 1,
               attempts = CASE WHEN is_blamed THEN attempts ELSE greatest(attempts - 1, 0) END,
               lane = CASE WHEN signal = 'cancel' THEN '' ELSE lane END
        FROM orphaned o WHERE o.name = j.name AND o.key = j.key AND o.executor_id = j.executor_id
        RETURNING 1)
    SELECT (SELECT count(*)::int FROM freed), (SELECT min(expires_at) FROM dead) INTO jobs, first_ended_at;
END $$;
