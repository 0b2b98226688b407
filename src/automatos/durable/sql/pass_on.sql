-- A held job becomes the job of what comes next, in the lane of who does it, if there is room; within its own lane it
-- keeps the place it has. `answer` is open when it did; else held, closed, full or changed.
CREATE OR REPLACE FUNCTION durable.pass_on(
    job text, job_key text, holder uuid, next_key text, to_lane text, to_priority int, OUT answer text
)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    was durable.jobs;
    here durable.lanes;
BEGIN
    SELECT * INTO here FROM durable.lanes d WHERE d.name = to_lane;
    answer := coalesce(here.mode, 'open');
    IF answer <> 'open' THEN
        RETURN;
    END IF;
    SELECT * INTO was FROM durable.jobs j WHERE j.name = job AND j.key = job_key AND j.executor_id = holder;
    IF NOT FOUND OR was.signal = 'cancel' THEN
        answer := 'changed';
        RETURN;
    END IF;
    IF here.capacity IS NOT NULL AND was.lane <> to_lane THEN
        PERFORM pg_advisory_xact_lock(7246300, hashtext(to_lane));
        IF here.capacity <= (SELECT count(*) FROM durable.jobs j WHERE j.lane = to_lane
                             AND j.executor_id IS NOT NULL) THEN
            answer := 'full';
            RETURN;
        END IF;
    END IF;
    UPDATE durable.jobs j SET key = next_key, lane = to_lane, priority = to_priority, signal = NULL, attempts = 1,
           crashes = 0, last_error = NULL
    WHERE j.name = job AND j.key = job_key AND j.executor_id = holder AND j.signal IS DISTINCT FROM 'cancel';
    IF NOT FOUND THEN
        answer := 'changed';
    END IF;
END $$;
