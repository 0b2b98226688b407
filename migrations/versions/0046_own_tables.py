"""What belongs to a run is forgotten by the packages that keep it; who takes work is told apart by the server."""

from alembic import op

from automatos.entrypoints.migrate import own_sql

revision = '0046'
down_revision = '0042'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP TRIGGER forget_events ON recipe_executions")
    op.execute("DROP TRIGGER pack_events ON recipe_executions")
    op.execute("DROP TRIGGER forget_work ON workspaces")
    op.execute("DROP FUNCTION durable.forget_events(), durable.pack_events(), durable.forget_work()")
    for statement in own_sql(__file__):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
