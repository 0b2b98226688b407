-- Kept for the version before: move a held job into the lane and priority of what its run does next.
CREATE OR REPLACE FUNCTION durable.move(
    job text, job_key text, holder uuid, to_lane text, to_priority int, OUT answer text, OUT leaves_waiting boolean
)
LANGUAGE plpgsql AS $$
DECLARE
    was text;
    here durable.lanes;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_advisory_xact_lock(7246300, hashtext(to_lane));
    SELECT lane INTO was FROM durable.jobs WHERE name = job AND key = job_key AND executor_id = holder FOR UPDATE;
    IF NOT FOUND THEN
        answer := 'lost';
        RETURN;
    END IF;
    SELECT * INTO here FROM durable.lanes WHERE name = to_lane;
    answer := coalesce(here.mode, 'open');
    IF here.mode = 'open' AND here.capacity <= (
        SELECT count(*) FROM durable.jobs
        WHERE lane = to_lane AND executor_id IS NOT NULL AND NOT (name = job AND key = job_key)) THEN
        answer := 'full';
    END IF;
    UPDATE durable.jobs SET lane = to_lane, priority = to_priority, signal = CASE WHEN signal = 'cancel' THEN signal END
    WHERE name = job AND key = job_key;
    leaves_waiting := was <> to_lane AND was <> ''
        AND EXISTS (SELECT FROM durable.jobs WHERE lane = was AND executor_id IS NULL);
END $$;
