"""Processes say how many jobs they take at once, so that news of a job goes to one that works."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('executors', sa.Column('places', sa.Integer(), server_default='0', nullable=False), schema='durable')


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
