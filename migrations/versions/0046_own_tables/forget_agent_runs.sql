-- What agents did in a run goes with it. A foreign key would lock the run's row at every record.
CREATE OR REPLACE FUNCTION forget_agent_runs() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    before text := current_setting('automatos.workspace_id', true);
BEGIN
    PERFORM set_config('automatos.workspace_id', old.workspace_id::text, true);
    DELETE FROM public.run_turn_records t USING public.agent_run_records r
    WHERE r.execution_id = old.id AND t.run_id = r.id;
    DELETE FROM public.agent_run_records WHERE execution_id = old.id;
    PERFORM set_config('automatos.workspace_id', coalesce(before, ''), true);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER forget_agent_runs AFTER DELETE ON recipe_executions
FOR EACH ROW EXECUTE FUNCTION forget_agent_runs();
