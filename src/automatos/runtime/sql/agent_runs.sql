-- Each agent's run with all that it began with, whose shared part is stored once; with the rights of whoever reads.
CREATE OR REPLACE VIEW agent_runs WITH (security_invoker = true) AS
SELECT r.id, r.workspace_id, r.agent_id, r.execution_id,
       CASE WHEN r.setup_hash IS NULL THEN r.opening ELSE s.setup || r.opening END AS opening, r.created_at
FROM agent_run_records r LEFT JOIN run_setups s ON s.workspace_id = r.workspace_id AND s.hash = r.setup_hash;
