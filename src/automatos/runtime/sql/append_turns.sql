-- Write turns; what most answers of models have alike is left out, and the view `run_turns` adds it.
CREATE OR REPLACE FUNCTION append_turns(workspace uuid, turns jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    usual constant jsonb := '{"left_out": [], "reasoning": "", "tool_calls": [], "is_estimated": false, "calls_from_text": false,
  "cache_read_tokens": 0, "cache_write_tokens": 0}'::jsonb;
BEGIN
    INSERT INTO public.run_turn_records (run_id, seq, workspace_id, kind, body, input_tokens, output_tokens,
                                         cost_micro_usd, duration_ms, error)
    SELECT t.run_id, t.seq, workspace, t.kind,
           CASE WHEN t.kind = 'model' THEN
               (SELECT coalesce(jsonb_object_agg(b.key, b.value), '{}') FROM jsonb_each(t.body) AS b
                WHERE b.value IS DISTINCT FROM usual->b.key)
           ELSE t.body END,
           coalesce(t.input_tokens, 0), coalesce(t.output_tokens, 0), t.cost_micro_usd, coalesce(t.duration_ms, 0),
           t.error
    FROM jsonb_to_recordset(turns) AS t (run_id uuid, seq int, kind text, body jsonb, input_tokens int,
                                         output_tokens int, cost_micro_usd bigint, duration_ms int, error text);
END $$;
