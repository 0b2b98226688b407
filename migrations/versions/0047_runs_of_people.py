"""Pages of runs can leave out those that steps of other runs have started, as fast as pages of all."""

import sqlalchemy as sa
from alembic import op

revision = '0047'
down_revision = '0046'
branch_labels = None
depends_on = None
LISTED_AS = sa.text("(CASE WHEN parent IS NULL THEN CAST(kind AS text) ELSE 'part' END)")


def upgrade() -> None:
    for name in ('ix_executions_workspace', 'ix_executions_status'):
        op.drop_index(name, table_name='recipe_executions')
    op.create_index('ix_executions_workspace', 'recipe_executions', ['workspace_id', LISTED_AS, 'id'])
    op.create_index('ix_executions_status', 'recipe_executions', ['workspace_id', 'status', LISTED_AS, 'id'],
                    postgresql_where=sa.text('finished_at IS NOT NULL'))


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
