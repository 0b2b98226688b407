-- Kept for the version before: write one record of a step. The run's row is locked first, always, so that every
-- statement after it sees what the others have written.
CREATE OR REPLACE FUNCTION record_step(
    run uuid, workspace uuid, step_number int, holder_epoch int, seen int, types text[], bodies jsonb[],
    at_time timestamptz, steps jsonb, agent_runs jsonb, turns jsonb, used jsonb
)
RETURNS TABLE (last_seq int, is_to_be_cancelled boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    latest int;
    is_asked boolean;
    fresh int := coalesce(cardinality(types), 0);
BEGIN
    SELECT e.last_seq, e.cancel_requested_by IS NOT NULL OR e.error IS NOT NULL INTO latest, is_asked
    FROM public.recipe_executions e
    WHERE e.id = run AND e.workspace_id = workspace AND e.finished_at IS NULL FOR UPDATE;
    IF NOT FOUND OR NOT EXISTS (
        SELECT FROM public.recipe_execution_steps s
        WHERE s.execution_id = run AND s.step_order = step_number AND s.epoch = holder_epoch AND s.last_seq = seen
              AND s.finished_at IS NULL) THEN
        RETURN;
    END IF;
    IF steps IS NOT NULL THEN PERFORM public.put_steps(workspace, run, steps); END IF;
    IF agent_runs IS NOT NULL THEN PERFORM public.append_runs(workspace, agent_runs); END IF;
    IF turns IS NOT NULL THEN PERFORM public.append_turns(workspace, turns); END IF;
    IF fresh > 0 THEN
        PERFORM durable.append_events(workspace, 'run:' || run, latest, types, bodies, at_time);
        UPDATE public.recipe_execution_steps s SET last_seq = latest + fresh
        WHERE s.execution_id = run AND s.step_order = step_number;
    END IF;
    UPDATE public.recipe_executions e
    SET last_seq = latest + fresh, input_tokens = e.input_tokens + (used->>'input_tokens')::int,
        output_tokens = e.output_tokens + (used->>'output_tokens')::int,
        cost_micro_usd = e.cost_micro_usd + (used->>'cost_micro_usd')::bigint,
        unpriced_calls = e.unpriced_calls + (used->>'unpriced_calls')::int,
        is_estimated = e.is_estimated OR (used->>'is_estimated')::boolean,
        is_cut_off = e.is_cut_off OR (used->>'is_cut_off')::boolean,
        current_step = greatest(e.current_step, step_number)
    WHERE e.id = run;
    RETURN QUERY SELECT latest + fresh, is_asked;
END $$;
