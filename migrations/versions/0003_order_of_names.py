"""Maps whose names people choose keep the order in which they were written."""

from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

COLUMNS = {
    "workflow_recipes": ("inputs", "outputs"),
    "recipe_versions": ("definition",),
    "recipe_executions": ("definition", "input_data", "output_data"),
}


def _change_type(kind: str) -> None:
    for table, names in COLUMNS.items():
        changes = ", ".join(f"ALTER COLUMN {name} TYPE {kind} USING {name}::{kind}" for name in names)
        op.execute(f"ALTER TABLE {table} {changes}")


def upgrade() -> None:
    # JSONB sorts the keys of an object by their length; JSON keeps the text. What is stored stays as it was sorted.
    _change_type("json")


def downgrade() -> None:
    _change_type("jsonb")
