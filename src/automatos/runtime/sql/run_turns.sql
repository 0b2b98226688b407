-- Each turn with what most answers of models have alike, which is not stored; with the rights of whoever reads.
CREATE OR REPLACE VIEW run_turns WITH (security_invoker = true) AS
SELECT t.run_id, t.seq, t.workspace_id, t.kind,
       CASE WHEN t.kind = 'model' THEN
           '{"left_out": [], "reasoning": "", "tool_calls": [], "is_estimated": false, "calls_from_text": false,
             "cache_read_tokens": 0, "cache_write_tokens": 0}'::jsonb || t.body
       ELSE t.body END AS body,
       t.input_tokens, t.output_tokens, t.cost_micro_usd, t.duration_ms, t.error, t.created_at
FROM run_turn_records t;
