"""Plans name only what they limit; a session has an id that may be shown, and says when it was used last."""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE workspaces SET plan_limits = plan_limits - 'max_documents'")
    op.add_column('user_sessions', sa.Column('id', sa.Uuid(), nullable=False,
                                             server_default=sa.text('gen_random_uuid()')))
    op.create_unique_constraint('uq_user_sessions_id', 'user_sessions', ['id'])
    op.add_column('user_sessions', sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=False,
                                             server_default=sa.text('now()')))


def downgrade() -> None:
    op.drop_column('user_sessions', 'last_used_at')
    op.drop_constraint('uq_user_sessions_id', 'user_sessions')
    op.drop_column('user_sessions', 'id')
