"""First tables, the application role, and row-level security."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


APP_ROLE = "automatos_app"
HERE = "nullif(current_setting('automatos.workspace_id', true), '')::uuid"
SCOPE = "current_setting('automatos.scope', true)"

# table -> the column that names its workspace
OWNED = {
    "workspaces": "id",
    "workspace_members": "workspace_id",
    "workspace_invitations": "workspace_id",
    "api_keys": "workspace_id",
    "audit_log": "workspace_id",
    "credentials": "workspace_id",
    "llm_usage": "workspace_id",
    "agents": "workspace_id",
    "agent_runs": "workspace_id",
    "run_turns": "workspace_id",
    "workflow_recipes": "workspace_id",
    "recipe_versions": "workspace_id",
    "recipe_executions": "workspace_id",
    "recipe_execution_steps": "workspace_id",
    "events": "workspace_id",
}
# What nobody ended in time, which calls a dead process did not account for: looked for in all workspaces at once.
READ_BY_ENGINE = ("recipe_executions", "agent_runs", "run_turns")
# Who is this key, whose membership is this: asked before any workspace is known.
READ_TO_SIGN_IN = ("workspaces", "workspace_members", "workspace_invitations", "api_keys")


def make_role() -> None:
    """Make the role the application works as; where roles may not be made, FORCE alone binds the owner."""
    op.execute(f"""
        DO $$ BEGIN
            CREATE ROLE {APP_ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
        EXCEPTION WHEN duplicate_object OR insufficient_privilege THEN NULL;
        END $$""")


def grant() -> None:
    op.execute(f"""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
                GRANT USAGE ON SCHEMA public, durable TO {APP_ROLE};
                GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, durable TO {APP_ROLE};
                GRANT USAGE ON ALL SEQUENCES IN SCHEMA public, durable TO {APP_ROLE};
                GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA durable TO {APP_ROLE};
                ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP_ROLE};
                ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {APP_ROLE};
                REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {APP_ROLE};
            END IF;
        END $$""")


def protect() -> None:
    """Row-level security: inside a workspace its rows, in a named scope what the scope is for, otherwise nothing."""
    for table, column in OWNED.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY inside ON {table} USING ({column} = {HERE}) WITH CHECK ({column} = {HERE})")
        op.execute(f"CREATE POLICY admin_reads ON {table} FOR SELECT USING ({SCOPE} = 'admin')")
    for table in READ_TO_SIGN_IN:
        op.execute(f"CREATE POLICY sign_in ON {table} USING ({SCOPE} = 'auth') WITH CHECK ({SCOPE} = 'auth')")
    for table in READ_BY_ENGINE:
        op.execute(f"CREATE POLICY engine_reads ON {table} FOR SELECT USING ({SCOPE} = 'engine')")
    op.execute(f"CREATE POLICY engine_prunes ON events USING ({SCOPE} = 'engine')")
    op.execute("ALTER TABLE system_settings ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE system_settings FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY reads ON system_settings FOR SELECT USING (workspace_id IS NULL OR workspace_id = {HERE})")
    op.execute(f"CREATE POLICY writes ON system_settings USING (workspace_id = {HERE}) WITH CHECK (workspace_id = {HERE})")
    op.execute(f"CREATE POLICY system_writes ON system_settings USING ({SCOPE} = 'admin') WITH CHECK ({SCOPE} = 'admin')")


FUNCTIONS = """
CREATE FUNCTION durable.append_events(workspace uuid, in_stream text, after_seq int, types text[], bodies jsonb[],
                                      at_time timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.events (stream, seq, workspace_id, type, data, created_at)
    SELECT in_stream, after_seq + e.n, workspace, e.type, e.body, at_time
    FROM unnest(types, bodies) WITH ORDINALITY AS e (type, body, n);
END $$;

CREATE FUNCTION durable.enqueue(job text, job_key text, workspace uuid, job_priority int, at_time timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO durable.jobs (name, key, workspace_id, priority, run_at)
    VALUES (job, job_key, workspace, job_priority, coalesce(at_time, now()))
    ON CONFLICT (name, key) DO UPDATE SET run_at = least(jobs.run_at, excluded.run_at) WHERE jobs.executor_id IS NULL;
END $$;

CREATE FUNCTION durable.finish(job text, job_key text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM durable.jobs WHERE name = job AND key = job_key;
END $$;

CREATE FUNCTION unavailable_agents(ids int[]) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT array_agg(coalesce(a.name, 'agent ' || i.id) || ' (' || coalesce(a.status, 'deleted') || ')')
            FROM unnest(ids) AS i (id) LEFT JOIN public.agents a ON a.id = i.id
            WHERE a.status IS NULL OR a.status NOT IN ('active', 'idle'));
END $$;

CREATE FUNCTION agent_names(ids int[]) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_object_agg(a.id, a.name) FROM public.agents a WHERE a.id = ANY(ids));
END $$;

CREATE FUNCTION put_steps(workspace uuid, execution uuid, steps jsonb)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.recipe_execution_steps
        (execution_id, step_order, workspace_id, step_id, agent_id, agent_name, status, attempt, run_id, prompt,
         output_key, output, error, input_tokens, output_tokens, cost_micro_usd, started_at, finished_at)
    SELECT execution, r.step_order, workspace, r.step_id, r.agent_id, r.agent_name, r.status, r.attempt, r.run_id,
           r.prompt, r.output_key, r.output, r.error, r.input_tokens, r.output_tokens, r.cost_micro_usd, r.started_at,
           r.finished_at
    FROM jsonb_to_recordset(steps) AS r (
        step_order int, step_id text, agent_id int, agent_name text, status text, attempt int, run_id uuid, prompt text,
        output_key text, output text, error jsonb, input_tokens int, output_tokens int, cost_micro_usd bigint,
        started_at timestamptz, finished_at timestamptz)
    ON CONFLICT (execution_id, step_order) DO UPDATE SET
        status = excluded.status, attempt = excluded.attempt, run_id = excluded.run_id, prompt = excluded.prompt,
        output = excluded.output, error = excluded.error, input_tokens = excluded.input_tokens,
        output_tokens = excluded.output_tokens, cost_micro_usd = excluded.cost_micro_usd,
        started_at = excluded.started_at, finished_at = excluded.finished_at;
END $$;

CREATE FUNCTION append_runs(workspace uuid, runs jsonb)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.agent_runs (id, workspace_id, agent_id, execution_id, opening)
    SELECT r.id, workspace, r.agent_id, r.execution_id, r.opening
    FROM jsonb_to_recordset(runs) AS r (id uuid, agent_id int, execution_id uuid, opening jsonb);
END $$;

CREATE FUNCTION append_turns(workspace uuid, turns jsonb)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.run_turns (run_id, seq, workspace_id, kind, body, input_tokens, output_tokens, cost_micro_usd,
                                  duration_ms, error)
    SELECT t.run_id, t.seq, workspace, t.kind, t.body, coalesce(t.input_tokens, 0), coalesce(t.output_tokens, 0),
           t.cost_micro_usd, coalesce(t.duration_ms, 0), t.error
    FROM jsonb_to_recordset(turns) AS t (run_id uuid, seq int, kind text, body jsonb, input_tokens int,
                                         output_tokens int, cost_micro_usd bigint, duration_ms int, error text);
END $$;

CREATE FUNCTION durable.forget_events() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := current_setting('automatos.workspace_id', true);
BEGIN
    PERFORM set_config('automatos.workspace_id', old.workspace_id::text, true);
    DELETE FROM public.events WHERE stream = 'run:' || old.id;
    PERFORM set_config('automatos.workspace_id', coalesce(before, ''), true);
    RETURN old;
END $$;
"""


def make_functions() -> None:
    """The verbs of the recording path, so that one statement can record a step across the rooms that own the tables."""
    for statement in FUNCTIONS.split(";\n\n"):
        op.execute(statement.replace(":", "\\:"))
    op.execute(
        "CREATE TRIGGER forget_events AFTER DELETE ON recipe_executions "
        "FOR EACH ROW EXECUTE FUNCTION durable.forget_events()"
    )


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.execute("CREATE SCHEMA IF NOT EXISTS durable")
    make_role()
    make_tables()
    make_functions()
    protect()
    grant()


def make_tables() -> None:
    op.create_table('executors',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('host', sa.String(length=255), nullable=False),
    sa.Column('pid', sa.Integer(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    schema='durable'
    )
    op.create_table('jobs',
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('key', sa.String(length=200), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('priority', sa.Integer(), server_default='0', nullable=False),
    sa.Column('run_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('executor_id', sa.Uuid(), nullable=True),
    sa.Column('signal', sa.String(length=50), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('name', 'key'),
    schema='durable'
    )
    op.create_index('ix_jobs_held', 'jobs', ['executor_id', 'workspace_id'], unique=False, schema='durable', postgresql_where=sa.text('executor_id IS NOT NULL'))
    op.create_index('ix_jobs_waiting', 'jobs', ['workspace_id', sa.literal_column('priority DESC'), 'run_at'], unique=False, schema='durable', postgresql_where=sa.text('executor_id IS NULL'))
    op.create_table('events',
    sa.Column('stream', sa.String(length=100), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('type', sa.String(length=50), nullable=False),
    sa.Column('data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('stream', 'seq')
    )
    op.create_index('ix_events_age', 'events', ['created_at'], unique=False, postgresql_using='brin')
    op.create_table('llm_models',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('provider', sa.String(length=100), nullable=False),
    sa.Column('model_id', sa.String(length=200), nullable=False),
    sa.Column('display_name', sa.String(length=200), nullable=False),
    sa.Column('model_family', sa.String(length=100), server_default='', nullable=False),
    sa.Column('capabilities', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('context_window', sa.Integer(), nullable=True),
    sa.Column('max_output_tokens', sa.Integer(), nullable=True),
    sa.Column('supports_functions', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('supports_vision', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('input_cost_per_1k_tokens', sa.Numeric(precision=14, scale=8), nullable=True),
    sa.Column('output_cost_per_1k_tokens', sa.Numeric(precision=14, scale=8), nullable=True),
    sa.Column('description', sa.Text(), server_default='', nullable=False),
    sa.Column('status', sa.String(length=20), server_default='active', nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('uq_llm_models', 'llm_models', ['provider', 'model_id'], unique=True)
    op.create_table('users',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=True),
    sa.Column('name', sa.String(length=200), server_default='', nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=True),
    sa.Column('issuer', sa.String(length=500), nullable=True),
    sa.Column('external_id', sa.String(length=255), nullable=True),
    sa.Column('system_role', sa.String(length=20), server_default='user', nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_sign_in_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('email')
    )
    op.create_index('uq_users_identity', 'users', ['issuer', 'external_id'], unique=True)
    op.create_table('user_sessions',
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('user_agent', sa.String(length=300), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('token_hash')
    )
    op.create_index(op.f('ix_user_sessions_user_id'), 'user_sessions', ['user_id'], unique=False)
    op.create_table('workspaces',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('slug', sa.String(length=100), nullable=False),
    sa.Column('owner_id', sa.Integer(), nullable=True),
    sa.Column('is_personal', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('external_org_id', sa.String(length=255), nullable=True),
    sa.Column('plan_limits', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('settings', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['owner_id'], ['users.id'], ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('external_org_id'),
    sa.UniqueConstraint('slug')
    )
    op.create_index(op.f('ix_workspaces_owner_id'), 'workspaces', ['owner_id'], unique=False)
    op.create_table('agents',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=255), nullable=False),
    sa.Column('slug', sa.String(length=255), nullable=True),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('agent_type', sa.String(length=100), nullable=False),
    sa.Column('marketplace_category', sa.String(length=100), nullable=True),
    sa.Column('status', sa.String(length=50), server_default='inactive', nullable=False),
    sa.Column('configuration', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('tags', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('model_config', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('model_usage_stats', postgresql.JSONB(astext_type=sa.Text()), server_default='{"total_tokens": 0, "total_cost": "0", "total_requests": 0, "avg_tokens_per_request": 0, "last_used_at": null}', nullable=False),
    sa.Column('performance_metrics', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('persona_id', sa.Uuid(), nullable=True),
    sa.Column('custom_persona_prompt', sa.Text(), nullable=True),
    sa.Column('use_custom_persona', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.Column('created_by', sa.String(length=320), server_default='api', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_agents_workspace_status', 'agents', ['workspace_id', 'status'], unique=False)
    op.create_index('uq_agents_name', 'agents', ['workspace_id', sa.literal_column('lower(name)')], unique=True, postgresql_where=sa.text("status <> 'archived'"))
    op.create_table('api_keys',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('key_prefix', sa.String(length=20), nullable=False),
    sa.Column('key_hash', sa.LargeBinary(), nullable=False),
    sa.Column('key_type', sa.String(length=20), server_default='server', nullable=False),
    sa.Column('role', sa.String(length=20), server_default='editor', nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('created_by', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['created_by'], ['users.id'], ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('key_hash')
    )
    op.create_index(op.f('ix_api_keys_workspace_id'), 'api_keys', ['workspace_id'], unique=False)
    op.create_table('audit_log',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('actor', sa.String(length=320), nullable=False),
    sa.Column('action', sa.String(length=100), nullable=False),
    sa.Column('target_type', sa.String(length=50), server_default='', nullable=False),
    sa.Column('target_id', sa.String(length=100), server_default='', nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('request_id', sa.String(length=64), server_default='', nullable=False),
    sa.Column('client_address', sa.String(length=64), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_audit_log_workspace', 'audit_log', ['workspace_id', 'id'], unique=False)
    op.create_table('credentials',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('provider', sa.String(length=100), nullable=False),
    sa.Column('base_url', sa.String(length=500), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('hint', sa.String(length=20), server_default='', nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('created_by', sa.String(length=320), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_tested_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('test_status', sa.String(length=20), server_default='not_tested', nullable=False),
    sa.Column('test_message', sa.Text(), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_credentials_workspace_id'), 'credentials', ['workspace_id'], unique=False)
    op.create_index('uq_credentials_name', 'credentials', ['workspace_id', 'name'], unique=True)
    op.create_table('system_settings',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=True),
    sa.Column('category', sa.String(length=100), nullable=False),
    sa.Column('key', sa.String(length=100), nullable=False),
    sa.Column('value', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('value_type', sa.String(length=20), nullable=False),
    sa.Column('updated_by', sa.String(length=320), server_default='', nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('uq_settings_key', 'system_settings', ['workspace_id', 'category', 'key'], unique=True, postgresql_nulls_not_distinct=True)
    op.create_table('workflow_recipes',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('template_id', sa.String(length=100), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('description', sa.Text(), server_default='', nullable=False),
    sa.Column('tags', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('inputs', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('outputs', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('steps', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('execution_config', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.Column('created_by', sa.String(length=320), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_workflow_recipes_workspace_id'), 'workflow_recipes', ['workspace_id'], unique=False)
    op.create_index('uq_recipes_template', 'workflow_recipes', ['workspace_id', 'template_id'], unique=True, postgresql_where=sa.text('deleted_at IS NULL'))
    op.create_table('workspace_invitations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('invited_by', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('accepted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['invited_by'], ['users.id'], ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('token_hash')
    )
    op.create_index(op.f('ix_workspace_invitations_workspace_id'), 'workspace_invitations', ['workspace_id'], unique=False)
    op.create_index('uq_invitations_pending', 'workspace_invitations', ['workspace_id', 'email'], unique=True, postgresql_where='accepted_at IS NULL AND revoked_at IS NULL')
    op.create_table('workspace_members',
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('joined_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('workspace_id', 'user_id')
    )
    op.create_index(op.f('ix_workspace_members_user_id'), 'workspace_members', ['user_id'], unique=False)
    op.create_table('llm_usage',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=True),
    sa.Column('execution_id', sa.Uuid(), nullable=True),
    sa.Column('run_id', sa.Uuid(), nullable=True),
    sa.Column('turn', sa.Integer(), nullable=True),
    sa.Column('attempt', sa.Integer(), server_default='1', nullable=False),
    sa.Column('request_type', sa.String(length=50), nullable=False),
    sa.Column('provider', sa.String(length=100), nullable=False),
    sa.Column('model_id', sa.String(length=200), nullable=False),
    sa.Column('input_tokens', sa.Integer(), server_default='0', nullable=False),
    sa.Column('output_tokens', sa.Integer(), server_default='0', nullable=False),
    sa.Column('total_tokens', sa.Integer(), server_default='0', nullable=False),
    sa.Column('cache_read_tokens', sa.Integer(), server_default='0', nullable=False),
    sa.Column('cache_write_tokens', sa.Integer(), server_default='0', nullable=False),
    sa.Column('input_cost_micro_usd', sa.BigInteger(), nullable=True),
    sa.Column('output_cost_micro_usd', sa.BigInteger(), nullable=True),
    sa.Column('cost_micro_usd', sa.BigInteger(), nullable=True),
    sa.Column('latency_ms', sa.Integer(), server_default='0', nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_llm_usage_agent', 'llm_usage', ['agent_id'], unique=False)
    op.create_index('ix_llm_usage_workspace', 'llm_usage', ['workspace_id', 'created_at'], unique=False)
    op.create_index('uq_llm_usage_call', 'llm_usage', ['run_id', 'turn', 'attempt'], unique=True)
    op.create_table('recipe_executions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('recipe_id', sa.Integer(), nullable=False),
    sa.Column('recipe_version', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(length=30), server_default='queued', nullable=False),
    sa.Column('input_data', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('output_data', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('error', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('current_step', sa.Integer(), server_default='0', nullable=False),
    sa.Column('total_steps', sa.Integer(), nullable=False),
    sa.Column('input_tokens', sa.Integer(), server_default='0', nullable=False),
    sa.Column('output_tokens', sa.Integer(), server_default='0', nullable=False),
    sa.Column('cost_micro_usd', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('is_cost_known', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('epoch', sa.Integer(), server_default='0', nullable=False),
    sa.Column('last_seq', sa.Integer(), server_default='0', nullable=False),
    sa.Column('cancel_requested_by', sa.String(length=320), nullable=True),
    sa.Column('idempotency_key', sa.String(length=200), nullable=True),
    sa.Column('request_hash', sa.String(length=64), nullable=True),
    sa.Column('triggered_by', sa.String(length=320), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('deadline_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['recipe_id'], ['workflow_recipes.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_executions_open', 'recipe_executions', ['deadline_at'], unique=False, postgresql_where=sa.text('finished_at IS NULL'))
    op.create_index('ix_executions_recipe', 'recipe_executions', ['recipe_id', 'id'], unique=False)
    op.create_index('ix_executions_workspace', 'recipe_executions', ['workspace_id', 'id'], unique=False)
    op.create_index('uq_executions_idempotency', 'recipe_executions', ['workspace_id', 'idempotency_key'], unique=True, postgresql_where=sa.text('idempotency_key IS NOT NULL'))
    op.create_table('recipe_versions',
    sa.Column('recipe_id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('definition', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('author', sa.String(length=320), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['recipe_id'], ['workflow_recipes.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('recipe_id', 'version')
    )
    op.create_index(op.f('ix_recipe_versions_workspace_id'), 'recipe_versions', ['workspace_id'], unique=False)
    op.create_table('agent_runs',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('execution_id', sa.Uuid(), nullable=True),
    sa.Column('opening', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['execution_id'], ['recipe_executions.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_agent_runs_execution', 'agent_runs', ['execution_id'], unique=False)
    op.create_table('recipe_execution_steps',
    sa.Column('execution_id', sa.Uuid(), nullable=False),
    sa.Column('step_order', sa.Integer(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('step_id', sa.String(length=100), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('agent_name', sa.String(length=255), server_default='', nullable=False),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('attempt', sa.Integer(), server_default='1', nullable=False),
    sa.Column('run_id', sa.Uuid(), nullable=True),
    sa.Column('prompt', sa.Text(), server_default='', nullable=False),
    sa.Column('output_key', sa.String(length=100), nullable=False),
    sa.Column('output', sa.Text(), nullable=True),
    sa.Column('error', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('input_tokens', sa.Integer(), server_default='0', nullable=False),
    sa.Column('output_tokens', sa.Integer(), server_default='0', nullable=False),
    sa.Column('cost_micro_usd', sa.BigInteger(), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['execution_id'], ['recipe_executions.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('execution_id', 'step_order')
    )
    op.create_table('run_turns',
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('body', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('input_tokens', sa.Integer(), server_default='0', nullable=False),
    sa.Column('output_tokens', sa.Integer(), server_default='0', nullable=False),
    sa.Column('cost_micro_usd', sa.BigInteger(), nullable=True),
    sa.Column('duration_ms', sa.Integer(), server_default='0', nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['agent_runs.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('run_id', 'seq')
    )
    op.create_index('ix_run_turns_age', 'run_turns', ['created_at'], unique=False, postgresql_using='brin')


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
