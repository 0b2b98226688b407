"""What Temporal delivers: whose registry row it is, whether a grant has begun, and the name of this database's queue."""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('executors', sa.Column('delivery', sa.String(20), server_default='leases', nullable=False),
                  schema='durable')
    op.add_column('jobs', sa.Column('begun', sa.BigInteger(), server_default='0', nullable=False), schema='durable')
    op.add_column('dispatcher', sa.Column('queue', sa.Uuid(), server_default=sa.text('gen_random_uuid()'),
                                          nullable=False), schema='durable')


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
