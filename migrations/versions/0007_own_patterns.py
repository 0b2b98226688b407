"""Patterns of a workspace beside those that came with the product."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

HERE = "nullif(current_setting('automatos.workspace_id', true), '')::uuid"
SCOPE = "current_setting('automatos.scope', true)"


def upgrade() -> None:
    op.add_column('patterns', sa.Column('workspace_id', sa.Uuid(), nullable=True))
    op.add_column('patterns', sa.Column('version', sa.Integer(), server_default='1', nullable=False))
    op.add_column('patterns', sa.Column('created_by', sa.String(length=320), server_default='', nullable=False))
    for name in ('created_at', 'updated_at'):
        op.add_column('patterns', sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(),
                                            nullable=False))
    # What people wrote stays in their order, because it goes into prompts.
    op.execute("ALTER TABLE patterns ALTER COLUMN pattern_data DROP DEFAULT, "
               "ALTER COLUMN pattern_data TYPE json USING pattern_data::text::json, "
               "ALTER COLUMN pattern_data SET DEFAULT '{}'")
    op.create_foreign_key('patterns_workspace_id_fkey', 'patterns', 'workspaces', ['workspace_id'], ['id'],
                          ondelete='CASCADE')
    op.drop_constraint('patterns_slug_key', 'patterns', type_='unique')
    op.create_index('uq_patterns_slug', 'patterns', ['workspace_id', 'slug'], unique=True,
                    postgresql_nulls_not_distinct=True)
    op.execute("ALTER TABLE patterns ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE patterns FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY reads ON patterns FOR SELECT USING (workspace_id IS NULL OR workspace_id = {HERE})")
    op.execute(f"CREATE POLICY inside ON patterns USING (workspace_id = {HERE}) WITH CHECK (workspace_id = {HERE})")
    op.execute(f"CREATE POLICY admin_reads ON patterns FOR SELECT USING ({SCOPE} = 'admin')")
    op.execute(f"CREATE POLICY server_writes ON patterns USING ({SCOPE} = 'engine' AND workspace_id IS NULL) "
               f"WITH CHECK ({SCOPE} = 'engine' AND workspace_id IS NULL)")


def downgrade() -> None:
    for policy in ('reads', 'inside', 'admin_reads', 'server_writes'):
        op.execute(f"DROP POLICY {policy} ON patterns")
    op.execute("ALTER TABLE patterns NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE patterns DISABLE ROW LEVEL SECURITY")
    op.execute("DELETE FROM patterns WHERE workspace_id IS NOT NULL")
    op.execute("ALTER TABLE patterns ALTER COLUMN pattern_data DROP DEFAULT, "
               "ALTER COLUMN pattern_data TYPE jsonb USING pattern_data::text::jsonb, "
               "ALTER COLUMN pattern_data SET DEFAULT '{}'")
    op.drop_index('uq_patterns_slug', table_name='patterns')
    op.create_unique_constraint('patterns_slug_key', 'patterns', ['slug'])
    for name in ('updated_at', 'created_at', 'created_by', 'version', 'workspace_id'):
        op.drop_column('patterns', name)
