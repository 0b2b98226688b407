-- Runs go with their workspace. Tasks have no recipe that would take them along, and a foreign key would lock the
-- workspace at every start.
CREATE OR REPLACE FUNCTION durable.forget_work() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := current_setting('automatos.workspace_id', true);
BEGIN
    PERFORM set_config('automatos.workspace_id', old.id::text, true);
    DELETE FROM public.recipe_executions WHERE workspace_id = old.id;
    PERFORM set_config('automatos.workspace_id', coalesce(before, ''), true);
    RETURN old;
END $$;

CREATE OR REPLACE TRIGGER forget_work AFTER DELETE ON workspaces
FOR EACH ROW EXECUTE FUNCTION durable.forget_work();
