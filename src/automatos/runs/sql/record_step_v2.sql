-- Write one record of a step and what follows from it; no row when another writer has the step or the run is over. The
-- run's row is locked first, always, so that every statement after it sees what the others have written. `known` is the
-- number of the run's last event as the writer knows it: where nothing else has happened to the run, it may say what
-- follows (`following`, or `ending` with the end of the run). Else nothing is written, and `answer` is `changed`.
CREATE OR REPLACE FUNCTION record_step_v2(
    run uuid, workspace uuid, step_number int, holder_epoch int, seen int, types text[], bodies jsonb[],
    at_time timestamptz, step jsonb, agent_runs jsonb, turns jsonb, used jsonb, opening jsonb, known int, ending jsonb,
    output json, following jsonb
)
RETURNS TABLE (last_seq int, fresh int, is_to_be_cancelled boolean, answer text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    latest int;
    was text;
    is_asked boolean;
    is_opening boolean;
    count int;
    told text := 'open';
BEGIN
    SELECT e.last_seq, e.status, e.cancel_requested_by IS NOT NULL OR e.error IS NOT NULL INTO latest, was, is_asked
    FROM public.recipe_executions e
    WHERE e.id = run AND e.workspace_id = workspace AND coalesce(e.finished_at, 'infinity') = 'infinity' FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- Of several first steps the one that is recorded first has begun the run.
    is_opening := opening IS NOT NULL AND was = opening->>'from';
    IF opening IS NOT NULL AND NOT is_opening THEN
        types := types[2:]; bodies := bodies[2:];
    END IF;
    count := coalesce(cardinality(types), 0);
    IF known IS NOT NULL AND (is_asked OR latest <> known) THEN
        RETURN QUERY SELECT latest, 0, is_asked, 'changed';
        RETURN;
    END IF;
    IF following IS NOT NULL THEN
        IF NOT EXISTS (
            SELECT FROM public.recipe_execution_steps s
            WHERE s.execution_id = run AND s.step_order = step_number AND s.epoch = holder_epoch AND s.last_seq = seen
                  AND s.finished_at IS NULL) THEN
            RETURN;
        END IF;
        IF following->>'holder' IS NULL THEN
            told := durable.wait_as(following->>'job', following->>'key', following->>'next_key', following->>'lane',
                                    (following->>'priority')::int);
        ELSE
            told := durable.pass_on(following->>'job', following->>'key', (following->>'holder')::uuid,
                                    following->>'next_key', following->>'lane', (following->>'priority')::int);
        END IF;
        IF told <> 'open' THEN
            RETURN QUERY SELECT latest, 0, is_asked, told;
            RETURN;
        END IF;
    END IF;
    IF step IS NULL THEN
        UPDATE public.recipe_execution_steps s SET last_seq = latest + count
        WHERE s.execution_id = run AND s.step_order = step_number AND s.epoch = holder_epoch AND s.last_seq = seen
              AND s.finished_at IS NULL;
    ELSE
        UPDATE public.recipe_execution_steps s
        SET last_seq = latest + count, status = r.status, attempt = r.attempt, run_id = r.run_id, prompt = r.prompt,
            output = r.output, error = r.error, input_tokens = r.input_tokens, output_tokens = r.output_tokens,
            cost_micro_usd = r.cost_micro_usd, unpriced_calls = r.unpriced_calls, is_estimated = r.is_estimated,
            is_cut_off = r.is_cut_off, attempts = r.attempts, started_at = r.started_at, finished_at = r.finished_at
        FROM jsonb_to_record(step) AS r (
            status text, attempt int, run_id uuid, prompt text, output text, error jsonb, input_tokens int,
            output_tokens int, cost_micro_usd bigint, unpriced_calls int, is_estimated boolean, is_cut_off boolean,
            attempts jsonb, started_at timestamptz, finished_at timestamptz)
        WHERE s.execution_id = run AND s.step_order = step_number AND s.epoch = holder_epoch AND s.last_seq = seen
              AND s.finished_at IS NULL;
    END IF;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF agent_runs IS NOT NULL THEN PERFORM public.append_runs(workspace, agent_runs); END IF;
    IF turns IS NOT NULL THEN PERFORM public.append_turns(workspace, turns); END IF;
    IF count > 0 THEN
        PERFORM durable.append_events(workspace, 'run:' || run, latest, types, bodies, at_time);
    END IF;
    IF following IS NOT NULL THEN
        INSERT INTO public.recipe_execution_steps
            (execution_id, workspace_id, step_order, path, step_id, agent_id, agent_name, status, attempt, run_id,
             prompt, output_key, started_at, epoch, last_seq)
        SELECT run, workspace, r.step_order, r.path, r.step_id, r.agent_id, r.agent_name, r.status, 1, r.run_id,
               r.prompt, r.output_key, r.started_at, CASE WHEN following->>'holder' IS NULL THEN 0 ELSE 1 END,
               latest + count
        FROM jsonb_to_record(following->'step') AS r (
            step_order int, path text, step_id text, agent_id int, agent_name text, status text, run_id uuid,
            prompt text, output_key text, started_at timestamptz);
    END IF;
    UPDATE public.recipe_executions e
    SET last_seq = latest + count, input_tokens = e.input_tokens + (used->>'input_tokens')::int,
        output_tokens = e.output_tokens + (used->>'output_tokens')::int,
        cost_micro_usd = e.cost_micro_usd + (used->>'cost_micro_usd')::bigint,
        unpriced_calls = e.unpriced_calls + (used->>'unpriced_calls')::int,
        is_estimated = e.is_estimated OR (used->>'is_estimated')::boolean,
        is_cut_off = e.is_cut_off OR (used->>'is_cut_off')::boolean,
        current_step = greatest(e.current_step, step_number, CASE WHEN following->>'holder' IS NOT NULL
                                THEN (following->'step'->>'step_order')::int END),
        status = coalesce(ending->>'status', CASE WHEN is_opening THEN 'running' ELSE e.status END),
        started_at = CASE WHEN is_opening THEN coalesce(e.started_at, (opening->>'started_at')::timestamptz)
                          ELSE e.started_at END,
        deadline_at = CASE WHEN is_opening THEN (opening->>'deadline_at')::timestamptz ELSE e.deadline_at END,
        finished_at = (ending->>'finished_at')::timestamptz, output_data = coalesce(output, e.output_data),
        error = coalesce(nullif(ending->'error', 'null'), e.error)
    WHERE e.id = run;
    IF ending ? 'key' THEN PERFORM durable.finish(ending->>'job', ending->>'key'); END IF;
    RETURN QUERY SELECT latest + count, count, is_asked, told;
END $$;
