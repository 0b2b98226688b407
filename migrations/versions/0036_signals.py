"""What runs are told from outside, by name: kept until the steps that wait for it read it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('recipe_executions', sa.Column('signals', JSONB(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
