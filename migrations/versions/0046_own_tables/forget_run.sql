-- A run's steps and events go with it. A foreign key would lock the run's row at every record.
CREATE OR REPLACE FUNCTION forget_run() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    before text := current_setting('automatos.workspace_id', true);
BEGIN
    PERFORM set_config('automatos.workspace_id', old.workspace_id::text, true);
    DELETE FROM public.recipe_execution_steps WHERE execution_id = old.id;
    PERFORM durable.forget_stream('run:' || old.id);
    PERFORM set_config('automatos.workspace_id', coalesce(before, ''), true);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER forget_run AFTER DELETE ON recipe_executions
FOR EACH ROW EXECUTE FUNCTION forget_run();
