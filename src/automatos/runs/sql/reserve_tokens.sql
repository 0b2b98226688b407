-- Kept for the version before, whose runs have none above them: reserve tokens of one run.
CREATE OR REPLACE FUNCTION reserve_tokens(
    run uuid, workspace uuid, step_number int, holder_epoch int, wanted int, needed int, allowed int, seconds float8,
    OUT answer text, OUT granted int, OUT used bigint
)
LANGUAGE plpgsql AS $$
DECLARE
    held bigint;
BEGIN
    SELECT e.input_tokens::bigint + e.output_tokens INTO used FROM public.recipe_executions e
    WHERE e.id = run AND e.workspace_id = workspace AND coalesce(e.finished_at, 'infinity') = 'infinity' FOR UPDATE;
    IF NOT FOUND THEN
        answer := 'lost';
        RETURN;
    END IF;
    UPDATE public.recipe_execution_steps s SET reserved_tokens = NULL
    WHERE s.execution_id = run AND s.reserved_tokens IS NOT NULL
          AND (s.step_order = step_number OR s.finished_at IS NOT NULL OR s.epoch <> s.reserved_epoch
               OR s.last_seq <> s.reserved_seq OR s.reserved_until < clock_timestamp());
    SELECT coalesce(sum(s.reserved_tokens), 0) INTO held FROM public.recipe_execution_steps s
    WHERE s.execution_id = run AND s.reserved_tokens IS NOT NULL;
    IF allowed - used < needed THEN
        answer := 'exceeded';
    ELSIF allowed - used - held >= wanted OR held = 0 THEN
        answer := 'open';
        granted := least(wanted, allowed - used);
        UPDATE public.recipe_execution_steps s
        SET reserved_tokens = granted, reserved_epoch = s.epoch, reserved_seq = s.last_seq,
            reserved_until = clock_timestamp() + make_interval(secs => seconds)
        WHERE s.execution_id = run AND s.step_order = step_number AND s.epoch = holder_epoch
              AND s.finished_at IS NULL;
        IF NOT FOUND THEN
            answer := 'lost';
        END IF;
    ELSE
        answer := 'held';
    END IF;
END $$;
