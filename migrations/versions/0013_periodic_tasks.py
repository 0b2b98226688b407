"""Periodic tasks have a row each: when they are due, and whose they are."""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

APP_ROLE = "automatos_app"


def upgrade() -> None:
    op.create_table(
        'periodic_tasks',
        sa.Column('name', sa.String(length=100), primary_key=True),
        sa.Column('next_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('executor_id', sa.Uuid(), nullable=True),
        schema='durable')
    op.execute(f"""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
                GRANT SELECT, INSERT, UPDATE, DELETE ON durable.periodic_tasks TO {APP_ROLE};
            END IF;
        END $$""")


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
