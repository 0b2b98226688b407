-- Runs go with their workspace. Tasks have no recipe that would take them along, and a foreign key would lock the
-- workspace at every start.
CREATE OR REPLACE FUNCTION forget_runs_of_workspace() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := current_setting('automatos.workspace_id', true);
BEGIN
    PERFORM set_config('automatos.workspace_id', old.id::text, true);
    DELETE FROM public.recipe_executions WHERE workspace_id = old.id;
    PERFORM set_config('automatos.workspace_id', coalesce(before, ''), true);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER forget_runs AFTER DELETE ON workspaces
FOR EACH ROW EXECUTE FUNCTION forget_runs_of_workspace();
