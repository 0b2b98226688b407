-- Queue a job; one that is there and waits begins at the earlier of both times. Without a time it may begin at once.
CREATE OR REPLACE FUNCTION durable.enqueue(
    job text, job_key text, workspace uuid, job_priority int, at_time timestamptz, in_lane text DEFAULT ''
)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO durable.jobs (name, key, workspace_id, priority, run_at, lane, is_parked)
    VALUES (job, job_key, workspace, job_priority, coalesce(at_time, now()), in_lane,
            coalesce(at_time > clock_timestamp(), false))
    ON CONFLICT (name, key) DO UPDATE SET run_at = least(jobs.run_at, excluded.run_at),
                                          is_parked = jobs.is_parked AND excluded.is_parked
    WHERE jobs.executor_id IS NULL;
END $$;
