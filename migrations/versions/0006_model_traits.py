"""How a model of the catalogue is asked: wire, efforts, sampling; what reading from the provider's cache costs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('llm_models', sa.Column('cached_input_cost_per_1k_tokens', sa.Numeric(14, 8), nullable=True))
    op.add_column('llm_models', sa.Column('wire', sa.String(length=20), nullable=True))
    op.add_column('llm_models', sa.Column('reasoning_efforts', postgresql.JSONB(), nullable=True))
    op.add_column('llm_models', sa.Column('takes_sampling', sa.Boolean(), nullable=True))


def downgrade() -> None:
    for name in ('takes_sampling', 'reasoning_efforts', 'wire', 'cached_input_cost_per_1k_tokens'):
        op.drop_column('llm_models', name)
