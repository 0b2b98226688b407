-- A held job becomes the job of what comes next and waits in its lane, as if it had been made anew.
CREATE OR REPLACE FUNCTION durable.wait_as(
    job text, job_key text, next_key text, to_lane text, to_priority int, OUT answer text
)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    UPDATE durable.jobs j SET key = next_key, lane = to_lane, priority = to_priority, signal = NULL, attempts = 0,
           crashes = 0, last_error = NULL, executor_id = NULL, run_at = clock_timestamp(), is_parked = false
    WHERE j.name = job AND j.key = job_key AND j.executor_id IS NOT NULL AND j.signal IS DISTINCT FROM 'cancel';
    answer := CASE WHEN FOUND THEN 'open' ELSE 'changed' END;
END $$;
