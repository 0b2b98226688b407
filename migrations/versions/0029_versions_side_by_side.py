"""Workers of the first release may record what they hold while a new version starts beside them.

Their statements name `recipe_executions.is_cost_known`, which became a count. All migrations are one transaction, so
that they never find the column missing; the next release that may break with them drops it.
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

UP = (
    "ALTER TABLE recipe_executions ADD COLUMN is_cost_known boolean NOT NULL DEFAULT true",
    """
    CREATE FUNCTION count_unknown_cost() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.unpriced_calls := greatest(NEW.unpriced_calls, 1);
        RETURN NEW;
    END $$
    """,
    # Fires only for statements that name the column: the current ones never do.
    """
    CREATE TRIGGER count_unknown_cost BEFORE UPDATE OF is_cost_known ON recipe_executions
    FOR EACH ROW WHEN (NOT NEW.is_cost_known) EXECUTE FUNCTION count_unknown_cost()
    """,
)
DOWN = (
    "DROP TRIGGER count_unknown_cost ON recipe_executions",
    "DROP FUNCTION count_unknown_cost()",
    "ALTER TABLE recipe_executions DROP COLUMN is_cost_known",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
