-- Kept for the version before, which says of a run only that its cost is not known. Fires for statements that name the
-- column: the current ones never do.
CREATE OR REPLACE FUNCTION count_unknown_cost() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.unpriced_calls := greatest(NEW.unpriced_calls, 1);
        RETURN NEW;
    END $$;

CREATE OR REPLACE TRIGGER count_unknown_cost BEFORE UPDATE OF is_cost_known ON recipe_executions
FOR EACH ROW WHEN (NOT new.is_cost_known)
EXECUTE FUNCTION count_unknown_cost();
