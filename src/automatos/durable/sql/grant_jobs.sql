-- Give jobs to processes, each at most once and within its lane's capacity, and tell the holders; nothing when
-- `in_epoch` is over. The arrays are parallel.
CREATE OR REPLACE FUNCTION durable.grant_jobs(
    in_epoch bigint, by_dispatcher uuid, names text[], keys text[], lanes text[], holders uuid[]
)
RETURNS TABLE (
    holder uuid, number bigint, name text, key text, workspace_id uuid, attempts int, crashes int, signal text,
    lane text, mode text
)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
    there uuid[];
    told uuid[] := '{}';
    one record;
    here durable.lanes;
    job durable.jobs;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    IF NOT EXISTS (SELECT FROM durable.dispatcher d WHERE d.epoch = in_epoch) THEN
        RETURN;
    END IF;
    there := ARRAY(SELECT h.id FROM (SELECT DISTINCT unnest(holders) AS id) h
                   JOIN durable.executors e ON e.id = h.id
                   WHERE e.kinds IS NOT NULL AND (h.id = by_dispatcher OR durable.is_there(h.id)));
    -- Jobs that are held move between lanes by themselves, so both count under the same lock.
    PERFORM pg_advisory_xact_lock(7246300, in_order.l)
    FROM (SELECT DISTINCT hashtext(u.l) AS l FROM unnest(lanes) AS u (l) WHERE u.l <> '' ORDER BY 1) AS in_order;
    FOR one IN SELECT * FROM unnest(names, keys, lanes, holders) AS a (name, key, lane, holder)
               WHERE a.holder = ANY(there) LOOP
        SELECT * INTO here FROM durable.lanes d WHERE d.name = one.lane;
        CONTINUE WHEN here.mode = 'held' OR here.mode = 'open' AND here.capacity <= (
            SELECT count(*) FROM durable.jobs h WHERE h.lane = one.lane AND h.executor_id IS NOT NULL);
        -- By nothing but its key, so that no other index looks cheaper while the table is small.
        SELECT * INTO job FROM durable.jobs j WHERE j.name = one.name AND j.key = one.key FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND OR job.executor_id IS NOT NULL OR job.lane <> one.lane
                      OR job.run_at > clock_timestamp();
        UPDATE durable.jobs j SET executor_id = one.holder, attempts = j.attempts + 1, is_parked = false,
               number = nextval('durable.grant_numbers')
        WHERE j.name = one.name AND j.key = one.key RETURNING j.* INTO job;
        holder := one.holder; number := job.number; name := job.name; key := job.key;
        workspace_id := job.workspace_id; attempts := job.attempts; crashes := job.crashes; signal := job.signal;
        lane := job.lane; mode := coalesce(here.mode, 'open');
        RETURN NEXT;
        IF one.holder <> by_dispatcher AND NOT one.holder = ANY(told) THEN
            told := told || one.holder;
            PERFORM pg_notify('automatos_' || replace(one.holder::text, '-', ''), by_dispatcher || E'\ngranted ');
        END IF;
    END LOOP;
END $$;
