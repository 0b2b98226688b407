"""A run may take over the outputs of another one and begin at one of its steps."""

import sqlalchemy as sa
from alembic import op

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('recipe_executions', sa.Column('forked_from', sa.Uuid(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
