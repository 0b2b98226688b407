-- A waiting job and a lane say which transaction changed them last, so that a reader can go on from a snapshot.
CREATE OR REPLACE FUNCTION durable.note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER note_change BEFORE UPDATE ON durable.jobs
FOR EACH ROW WHEN (new.executor_id IS NULL)
EXECUTE FUNCTION durable.note_change();

CREATE OR REPLACE TRIGGER note_change BEFORE UPDATE ON durable.lanes
FOR EACH ROW EXECUTE FUNCTION durable.note_change();
