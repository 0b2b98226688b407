"""Lists that cost the same however long the history is: indexes by status and kind, and counts of what is past."""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0020'
branch_labels = None
depends_on = None
HERE = "nullif(current_setting('automatos.workspace_id', true), '')::uuid"
SCOPE = "current_setting('automatos.scope', true)"


def upgrade() -> None:
    op.create_index('ix_executions_status', 'recipe_executions', ['workspace_id', 'status', 'id'],
                    postgresql_where=sa.text('finished_at IS NOT NULL'))
    op.create_index('ix_executions_kind', 'recipe_executions', ['workspace_id', 'kind', 'id'],
                    postgresql_where=sa.text("kind <> 'recipe'"))
    op.drop_index('ix_execution_steps_agent', table_name='recipe_execution_steps')
    op.create_index('ix_execution_steps_agent', 'recipe_execution_steps',
                    ['agent_id', 'status', 'execution_id', 'step_order'])
    op.create_table(
        'recipe_run_counts',
        sa.Column('recipe_id', sa.Integer(), nullable=False), sa.Column('workspace_id', sa.Uuid(), nullable=False),
        sa.Column('runs', sa.BigInteger(), nullable=False), sa.Column('up_to', sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(['recipe_id'], ['workflow_recipes.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('recipe_id'))
    op.execute("ALTER TABLE recipe_run_counts ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE recipe_run_counts FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY inside ON recipe_run_counts USING (workspace_id = {HERE}) "
               f"WITH CHECK (workspace_id = {HERE})")
    op.execute(f"CREATE POLICY admin_reads ON recipe_run_counts FOR SELECT USING ({SCOPE} = 'admin')")
    op.execute(f"CREATE POLICY engine_counts ON recipe_run_counts USING ({SCOPE} = 'engine') "
               f"WITH CHECK ({SCOPE} = 'engine')")


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
