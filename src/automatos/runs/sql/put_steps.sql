-- Kept for the version before: write steps as its records have them.
CREATE OR REPLACE FUNCTION put_steps(workspace uuid, execution uuid, steps jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.recipe_execution_steps
        (execution_id, step_order, workspace_id, step_id, agent_id, agent_name, status, attempt, run_id, prompt,
         output_key, output, error, input_tokens, output_tokens, cost_micro_usd, unpriced_calls, is_estimated,
         is_cut_off, attempts, started_at, finished_at)
    SELECT execution, r.step_order, workspace, r.step_id, r.agent_id, r.agent_name, r.status, r.attempt, r.run_id,
           r.prompt, r.output_key, r.output, r.error, r.input_tokens, r.output_tokens, coalesce(r.cost_micro_usd, 0),
           coalesce(r.unpriced_calls, 0), coalesce(r.is_estimated, false), coalesce(r.is_cut_off, false),
           coalesce(r.attempts, '[]'), r.started_at, r.finished_at
    FROM jsonb_to_recordset(steps) AS r (
        step_order int, step_id text, agent_id int, agent_name text, status text, attempt int, run_id uuid, prompt text,
        output_key text, output text, error jsonb, input_tokens int, output_tokens int, cost_micro_usd bigint,
        unpriced_calls int, is_estimated boolean, is_cut_off boolean, attempts jsonb, started_at timestamptz,
        finished_at timestamptz)
    ON CONFLICT (execution_id, step_order) DO UPDATE SET
        status = excluded.status, attempt = excluded.attempt, run_id = excluded.run_id, prompt = excluded.prompt,
        output = excluded.output, error = excluded.error, input_tokens = excluded.input_tokens,
        output_tokens = excluded.output_tokens, cost_micro_usd = excluded.cost_micro_usd,
        unpriced_calls = excluded.unpriced_calls, is_estimated = excluded.is_estimated,
        is_cut_off = excluded.is_cut_off, attempts = excluded.attempts,
        started_at = excluded.started_at, finished_at = excluded.finished_at;
END $$;
