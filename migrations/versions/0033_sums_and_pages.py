"""Pages of runs are read from the ends of indexes whatever is asked for; what models were used for is summed by day."""

import sqlalchemy as sa
from alembic import op

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None
HERE = "nullif(current_setting('automatos.workspace_id', true), '')::uuid"
SCOPE = "current_setting('automatos.scope', true)"
# One statement adds all that another one has written, whoever wrote it: workers of versions before know no sums.
ADD_USAGE = """
CREATE FUNCTION add_usage() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO llm_usage_days AS d (workspace_id, agent_id, day, requests, failed_requests, estimated_requests,
                                     input_tokens, output_tokens, total_tokens, cache_read_tokens, cache_write_tokens,
                                     known_micro_usd, unpriced_calls)
    SELECT workspace_id, coalesce(agent_id, 0), (created_at AT TIME ZONE 'UTC')::date, count(*),
           count(*) FILTER (WHERE status = 'error'), count(*) FILTER (WHERE is_estimated), sum(input_tokens),
           sum(output_tokens), sum(total_tokens), sum(cache_read_tokens), sum(cache_write_tokens),
           coalesce(sum(cost_micro_usd), 0), count(*) FILTER (WHERE cost_micro_usd IS NULL)
    FROM {rows} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (workspace_id, agent_id, day) DO UPDATE SET
        requests = d.requests + excluded.requests,
        failed_requests = d.failed_requests + excluded.failed_requests,
        estimated_requests = d.estimated_requests + excluded.estimated_requests,
        input_tokens = d.input_tokens + excluded.input_tokens,
        output_tokens = d.output_tokens + excluded.output_tokens,
        total_tokens = d.total_tokens + excluded.total_tokens,
        cache_read_tokens = d.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = d.cache_write_tokens + excluded.cache_write_tokens,
        known_micro_usd = d.known_micro_usd + excluded.known_micro_usd,
        unpriced_calls = d.unpriced_calls + excluded.unpriced_calls;
    RETURN NULL;
END $$
"""
COUNTED = ("requests", "failed_requests", "estimated_requests", "input_tokens", "output_tokens", "total_tokens",
           "cache_read_tokens", "cache_write_tokens", "known_micro_usd", "unpriced_calls")


def upgrade() -> None:
    for name in ('ix_executions_workspace', 'ix_executions_kind', 'ix_executions_status', 'ix_executions_finished',
                 'ix_executions_agent'):
        op.drop_index(name, table_name='recipe_executions')
    is_over, has_agent = "finished_at IS NOT NULL", "agent_id IS NOT NULL"
    for name, columns, where in (
        ('ix_executions_workspace', ['workspace_id', 'kind', 'id'], None),
        ('ix_executions_status', ['workspace_id', 'status', 'kind', 'id'], is_over),
        ('ix_executions_recipe_status', ['status', 'recipe_id', 'id'], f"{is_over} AND recipe_id IS NOT NULL"),
        ('ix_executions_agent', ['agent_id', 'kind', 'id'], has_agent),
        ('ix_executions_agent_status', ['agent_id', 'status', 'kind', 'id'], f"{is_over} AND {has_agent}"),
    ):
        op.create_index(name, 'recipe_executions', columns, postgresql_where=sa.text(where) if where else None)
    sum_usage()


def sum_usage() -> None:
    """Make the sums; nothing is written to the ledger between its trigger and what is added of the past."""
    op.create_table(
        'llm_usage_days', sa.Column('workspace_id', sa.Uuid(), nullable=False),
        sa.Column('agent_id', sa.Integer(), nullable=False), sa.Column('day', sa.Date(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTED),
        sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('workspace_id', 'agent_id', 'day'))
    # Rows are counted up in place, without a new index entry.
    op.execute("ALTER TABLE llm_usage_days SET (fillfactor = 50)")
    op.execute("ALTER TABLE llm_usage_days ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE llm_usage_days FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY inside ON llm_usage_days USING (workspace_id = {HERE}) "
               f"WITH CHECK (workspace_id = {HERE})")
    op.execute(f"CREATE POLICY admin_reads ON llm_usage_days FOR SELECT USING ({SCOPE} = 'admin')")
    op.execute(ADD_USAGE.format(rows="added"))
    op.execute("CREATE TRIGGER add_usage AFTER INSERT ON llm_usage REFERENCING NEW TABLE AS added "
               "FOR EACH STATEMENT EXECUTE FUNCTION add_usage()")
    body = ADD_USAGE.format(rows="llm_usage")
    op.execute("ALTER TABLE llm_usage NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE llm_usage_days NO FORCE ROW LEVEL SECURITY")
    op.execute(body[body.index("INSERT"):body.index("ON CONFLICT")])
    op.execute("ALTER TABLE llm_usage FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE llm_usage_days FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
