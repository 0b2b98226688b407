-- In whatever statement a run is ended, its events are packed with it.
CREATE OR REPLACE FUNCTION pack_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM durable.pack_stream('run:' || new.id);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER pack_run AFTER UPDATE ON recipe_executions
FOR EACH ROW WHEN (old.finished_at IS NULL AND new.finished_at IS NOT NULL)
EXECUTE FUNCTION pack_run();
