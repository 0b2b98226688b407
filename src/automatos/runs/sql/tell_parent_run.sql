-- In whatever statement and by whatever version of a worker the run is ended, its step above gets a job with it.
CREATE OR REPLACE FUNCTION tell_parent_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM durable.enqueue('runs.step', (new.parent->>'run_id') || '/' || (new.parent->>'path'), new.workspace_id, 1,
                            NULL, '');
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER tell_parent AFTER UPDATE OF finished_at ON recipe_executions
FOR EACH ROW WHEN (new.parent IS NOT NULL AND new.finished_at IS NOT NULL AND old.finished_at IS NULL)
EXECUTE FUNCTION tell_parent_run();
