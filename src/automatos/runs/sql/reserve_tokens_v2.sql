-- Reserve tokens of a run and of all above it that have a limit, from the top down, so that nobody waits in a circle.
-- What a run has used is what it has counted and what the runs under it have, as long as it has not counted them; what
-- is reserved in those is held of its budget, too. A reservation holds while its writer has recorded nothing since: the
-- record that counts what a request used moves the step's `last_seq`, whoever takes the step over its `epoch`, and its
-- end `finished_at`. So nobody has to give it back, and those of dead writers end with the request's time at the
-- latest. Each statement here has a snapshot of its own, taken when the run's row is locked.
CREATE OR REPLACE FUNCTION reserve_tokens_v2(
    run uuid, workspace uuid, step_number int, holder_epoch int, wanted int, needed int, own_limit bigint,
    seconds float8, OUT answer text, OUT granted int, OUT used bigint, OUT allowed bigint
)
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    scopes uuid[] := ARRAY[run];
    above uuid := run;
    scope record;
    held bigint;
    room bigint;
BEGIN
    LOOP
        SELECT (e.parent->>'run_id')::uuid INTO above FROM public.recipe_executions e
        WHERE e.id = above AND e.workspace_id = workspace;
        EXIT WHEN above IS NULL;
        scopes := above || scopes;
    END LOOP;
    PERFORM FROM public.recipe_executions e
    WHERE e.id = run AND e.workspace_id = workspace AND coalesce(e.finished_at, 'infinity') = 'infinity';
    IF NOT FOUND THEN
        answer := 'lost';
        RETURN;
    END IF;
    FOREACH above IN ARRAY scopes LOOP
        PERFORM FROM public.recipe_executions e WHERE e.id = above AND e.workspace_id = workspace FOR UPDATE;
    END LOOP;
    UPDATE public.recipe_execution_steps s SET reserved_tokens = NULL
    WHERE s.execution_id = run AND s.reserved_tokens IS NOT NULL
          AND (s.step_order = step_number OR s.finished_at IS NOT NULL OR s.epoch <> s.reserved_epoch
               OR s.last_seq <> s.reserved_seq OR s.reserved_until < clock_timestamp());
    answer := 'open';
    granted := wanted;
    FOR scope IN
        SELECT o.id, l.tokens FROM unnest(scopes) WITH ORDINALITY AS o (id, place)
        CROSS JOIN LATERAL (
            SELECT own_limit AS tokens WHERE o.id = run
            UNION ALL
            SELECT (v.definition->'execution_config'->>'max_total_tokens')::bigint
            FROM public.recipe_executions e
            JOIN public.recipe_versions v ON v.recipe_id = e.recipe_id AND v.version = e.recipe_version
            WHERE e.id = o.id AND o.id <> run) l
        WHERE l.tokens IS NOT NULL ORDER BY o.place
    LOOP
        WITH RECURSIVE under AS (
            SELECT scope.id AS id
            UNION ALL
            SELECT (s.detail->>'run_id')::uuid FROM under u JOIN public.recipe_execution_steps s ON s.execution_id = u.id
            WHERE s.kind = 'run' AND s.status = 'waiting'
        )
        SELECT sum(e.input_tokens::bigint + e.output_tokens),
               sum((SELECT coalesce(sum(s.reserved_tokens), 0) FROM public.recipe_execution_steps s
                    WHERE s.execution_id = e.id AND s.reserved_tokens IS NOT NULL AND s.finished_at IS NULL
                          AND s.epoch = s.reserved_epoch AND s.last_seq = s.reserved_seq
                          AND s.reserved_until >= clock_timestamp()))
        INTO used, held FROM under u JOIN public.recipe_executions e ON e.id = u.id;
        allowed := scope.tokens;
        room := allowed - used;
        IF room < needed THEN
            answer := 'exceeded';
            RETURN;
        END IF;
        IF room - held < granted AND held > 0 THEN
            answer := 'held';
            granted := NULL;
            RETURN;
        END IF;
        granted := least(granted, room);
    END LOOP;
    UPDATE public.recipe_execution_steps s
    SET reserved_tokens = granted, reserved_epoch = s.epoch, reserved_seq = s.last_seq,
        reserved_until = clock_timestamp() + make_interval(secs => seconds)
    WHERE s.execution_id = run AND s.step_order = step_number AND s.epoch = holder_epoch AND s.finished_at IS NULL;
    IF NOT FOUND THEN
        answer := 'lost';
    END IF;
END $$;
