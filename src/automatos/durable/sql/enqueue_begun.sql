-- Insert a job that its holder has begun already. Says false, and queues nothing, where it has to wait: the holder
-- gives out no jobs any more, the lane is not open or has no room, or others wait in it who come first. Its grant
-- number stays 0, that of no grant: the holder knows of it without being told.
CREATE OR REPLACE FUNCTION durable.enqueue_begun(
    job text, job_key text, workspace uuid, job_priority int, in_lane text, holder uuid, in_epoch bigint
)
RETURNS boolean LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    here durable.lanes;
BEGIN
    IF NOT EXISTS (SELECT FROM durable.dispatcher d WHERE d.epoch = in_epoch AND d.executor_id = holder)
       OR NOT EXISTS (SELECT FROM durable.executors e WHERE e.id = holder) THEN
        RETURN false;
    END IF;
    SELECT * INTO here FROM durable.lanes d WHERE d.name = in_lane;
    IF here.mode <> 'open' THEN
        RETURN false;
    END IF;
    IF here.capacity IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(7246300, hashtext(in_lane));
        IF here.capacity <= (SELECT count(*) FROM durable.jobs h WHERE h.lane = in_lane AND h.executor_id IS NOT NULL)
           OR EXISTS (SELECT FROM durable.jobs w WHERE w.lane = in_lane AND w.executor_id IS NULL AND NOT w.is_parked
                      AND w.priority >= job_priority) THEN
            RETURN false;
        END IF;
    END IF;
    INSERT INTO durable.jobs (name, key, workspace_id, priority, lane, executor_id, attempts)
    VALUES (job, job_key, workspace, job_priority, in_lane, holder, 1);
    RETURN true;
END $$;
