"""A run may be paused by a person: nothing of it begins until somebody resumes it."""

import sqlalchemy as sa
from alembic import op

revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('recipe_executions', sa.Column('paused_by', sa.String(320), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
