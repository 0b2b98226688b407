-- What belongs to a run goes with it: its steps, its events, and the records of its agents. A foreign key would lock
-- the run's row at every record.
CREATE OR REPLACE FUNCTION durable.forget_events() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    before text := current_setting('automatos.workspace_id', true);
BEGIN
    PERFORM set_config('automatos.workspace_id', old.workspace_id::text, true);
    DELETE FROM public.run_turn_records t USING public.agent_run_records r WHERE r.execution_id = old.id AND t.run_id = r.id;
    DELETE FROM public.agent_run_records WHERE execution_id = old.id;
    DELETE FROM public.recipe_execution_steps WHERE execution_id = old.id;
    DELETE FROM public.event_records WHERE stream = 'run:' || old.id;
    PERFORM set_config('automatos.workspace_id', coalesce(before, ''), true);
    RETURN old;
END $$;

CREATE OR REPLACE TRIGGER forget_events AFTER DELETE ON recipe_executions
FOR EACH ROW EXECUTE FUNCTION durable.forget_events();
