"""Agents, whole: lanes, tasks, versions, skills, personas, typed credentials, heartbeats."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


APP_ROLE = "automatos_app"
HERE = "nullif(current_setting('automatos.workspace_id', true), '')::uuid"
SCOPE = "current_setting('automatos.scope', true)"
OWNED = ("agent_versions", "agent_skills", "skill_sources", "heartbeats", "heartbeat_results")
# Rows without a workspace came with the product: everybody reads them, the server alone writes them.
SHARED = ("personas", "skills", "skill_versions", "skill_files")
# Who starts by itself, whom nothing needs any more, whose heartbeat is due, whose skills are stale.
READ_BY_ENGINE = ("agents", "heartbeats", "skill_sources")

FUNCTIONS = """
CREATE FUNCTION durable.enqueue(job text, job_key text, workspace uuid, job_priority int, at_time timestamptz,
                                in_lane text DEFAULT '')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO durable.jobs (name, key, workspace_id, priority, run_at, lane)
    VALUES (job, job_key, workspace, job_priority, coalesce(at_time, now()), in_lane)
    ON CONFLICT (name, key) DO UPDATE SET run_at = least(jobs.run_at, excluded.run_at) WHERE jobs.executor_id IS NULL;
END $$;

CREATE FUNCTION durable.finish(job text, job_key text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    left_lane text;
BEGIN
    DELETE FROM durable.jobs WHERE name = job AND key = job_key RETURNING lane INTO left_lane;
    RETURN left_lane <> '' AND EXISTS (SELECT FROM durable.jobs WHERE lane = left_lane AND executor_id IS NULL);
END $$;

CREATE FUNCTION durable.set_lane(lane_name text, lane_capacity int, lane_mode text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO durable.lanes (name, capacity, mode) VALUES (lane_name, lane_capacity, lane_mode)
    ON CONFLICT (name) DO UPDATE SET capacity = excluded.capacity, mode = excluded.mode;
END $$;

CREATE FUNCTION durable.move(job text, job_key text, holder uuid, to_lane text, to_priority int,
                             OUT answer text, OUT leaves_waiting boolean)
LANGUAGE plpgsql AS $$
DECLARE
    was text;
    here durable.lanes;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_advisory_xact_lock(7246300, hashtext(to_lane));
    SELECT lane INTO was FROM durable.jobs WHERE name = job AND key = job_key AND executor_id = holder FOR UPDATE;
    IF NOT FOUND THEN
        answer := 'lost';
        RETURN;
    END IF;
    SELECT * INTO here FROM durable.lanes WHERE name = to_lane;
    answer := coalesce(here.mode, 'open');
    IF here.mode = 'open' AND here.capacity <= (
        SELECT count(*) FROM durable.jobs
        WHERE lane = to_lane AND executor_id IS NOT NULL AND NOT (name = job AND key = job_key)) THEN
        answer := 'full';
    END IF;
    UPDATE durable.jobs SET lane = to_lane, priority = to_priority, signal = CASE WHEN signal = 'cancel' THEN signal END
    WHERE name = job AND key = job_key;
    leaves_waiting := was <> to_lane AND was <> ''
        AND EXISTS (SELECT FROM durable.jobs WHERE lane = was AND executor_id IS NULL);
END $$;

CREATE FUNCTION durable.claim(holder uuid, wanted int, kinds text[])
RETURNS TABLE (name text, key text, workspace_id uuid, attempts int, signal text, lane text, mode text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    names text[];
    keys text[];
    lanes text[];
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    WITH RECURSIVE waiting AS (
        (SELECT j.workspace_id FROM durable.jobs j WHERE j.executor_id IS NULL ORDER BY j.workspace_id LIMIT 1)
        UNION ALL
        SELECT (SELECT j.workspace_id FROM durable.jobs j
                WHERE j.executor_id IS NULL AND j.workspace_id > w.workspace_id ORDER BY j.workspace_id LIMIT 1)
        FROM waiting w WHERE w.workspace_id IS NOT NULL
    ), busy AS (
        SELECT j.workspace_id, count(*)::int AS running FROM durable.jobs j
        WHERE j.executor_id IS NOT NULL GROUP BY j.workspace_id
    ), in_turn AS (
        SELECT w.workspace_id, coalesce(b.running, 0) AS running
        FROM waiting w LEFT JOIN busy b ON b.workspace_id = w.workspace_id
        WHERE w.workspace_id IS NOT NULL ORDER BY 2, random()
    ), chosen AS (
        -- Workspaces with less at work come first, so that the first few with anything to give have the best of all.
        SELECT t.running, o.* FROM in_turn t CROSS JOIN LATERAL (
            SELECT array_agg(f.name) AS names, array_agg(f.key) AS keys, array_agg(f.lane) AS lanes
            FROM (
                WITH RECURSIVE lanes_of AS (
                    (SELECT j.lane FROM durable.jobs j WHERE j.executor_id IS NULL AND j.workspace_id = t.workspace_id
                     ORDER BY j.lane LIMIT 1)
                    UNION ALL
                    SELECT (SELECT j.lane FROM durable.jobs j WHERE j.executor_id IS NULL
                            AND j.workspace_id = t.workspace_id AND j.lane > l.lane ORDER BY j.lane LIMIT 1)
                    FROM lanes_of l WHERE l.lane IS NOT NULL
                )
                SELECT w.* FROM lanes_of l LEFT JOIN LATERAL (SELECT * FROM durable.lanes d WHERE d.name = l.lane LIMIT 1) d ON true
                CROSS JOIN LATERAL (
                    SELECT j.name, j.key, j.lane, j.priority, j.run_at FROM durable.jobs j
                    WHERE j.executor_id IS NULL AND j.workspace_id = t.workspace_id AND j.lane = l.lane
                          AND j.run_at <= clock_timestamp() AND j.name = ANY(kinds)
                    ORDER BY j.priority DESC, j.run_at
                    LIMIT CASE WHEN d.mode = 'open' THEN greatest(least(wanted, d.capacity - (
                                   SELECT count(*) FROM durable.jobs h
                                   WHERE h.lane = l.lane AND h.executor_id IS NOT NULL)), 0)
                               WHEN d.mode = 'held' THEN 0 ELSE wanted END) w
                ORDER BY w.priority DESC, w.run_at LIMIT wanted) f
            HAVING count(*) > 0) o
        LIMIT wanted
    )
    SELECT array_agg(r.name), array_agg(r.key), array_agg(r.lane) INTO names, keys, lanes
    FROM (SELECT u.name, u.key, u.lane
          FROM chosen c CROSS JOIN LATERAL unnest(c.names, c.keys, c.lanes) WITH ORDINALITY AS u (name, key, lane, nth)
          ORDER BY u.nth + c.running, random() LIMIT wanted) r;
    IF names IS NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(7246300, in_order.l)
    FROM (SELECT DISTINCT hashtext(u.l) AS l FROM unnest(lanes) AS u (l) WHERE u.l <> '' ORDER BY 1) AS in_order;
    RETURN QUERY
    WITH fitting AS (
        SELECT c.name, c.key, coalesce(d.mode, 'closed') AS mode, d.capacity,
               row_number() OVER (PARTITION BY c.lane ORDER BY c.place) AS nth,
               CASE WHEN d.mode = 'open' THEN (
                   SELECT count(*) FROM durable.jobs h WHERE h.lane = c.lane AND h.executor_id IS NOT NULL) END AS running
        FROM unnest(names, keys, lanes) WITH ORDINALITY AS c (name, key, lane, place)
        LEFT JOIN durable.lanes d ON d.name = c.lane
    ), picked AS (
        SELECT j.name, j.key, f.mode, f.capacity IS NULL AS is_free FROM durable.jobs j
        JOIN fitting f ON f.name = j.name AND f.key = j.key
        WHERE j.executor_id IS NULL AND (f.mode = 'closed' OR f.mode = 'open' AND f.running + f.nth <= f.capacity)
        FOR UPDATE OF j SKIP LOCKED
    )
    UPDATE durable.jobs j SET executor_id = holder, attempts = j.attempts + 1
    FROM picked p WHERE j.name = p.name AND j.key = p.key
    RETURNING j.name::text, j.key::text, j.workspace_id, j.attempts, j.signal::text, j.lane::text,
              CASE WHEN p.is_free THEN 'open' ELSE p.mode END::text;
END $$;

CREATE OR REPLACE FUNCTION unavailable_agents(ids int[]) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT array_agg(coalesce(a.name, 'agent ' || i.id) || ' ('
                             || CASE WHEN a.stopping IS NOT NULL THEN 'stopping' ELSE coalesce(a.status, 'deleted') END || ')')
            FROM unnest(ids) AS i (id) LEFT JOIN public.agents a ON a.id = i.id
            WHERE a.status IS NULL OR a.status NOT IN ('active', 'idle', 'paused') OR a.stopping IS NOT NULL);
END $$;

CREATE FUNCTION durable.jobs_in(of_lane text) RETURNS TABLE (key text, priority int, is_held boolean)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT j.key::text, j.priority, j.executor_id IS NOT NULL FROM durable.jobs j WHERE j.lane = of_lane;
END $$;

CREATE FUNCTION durable.lane_counts(of_lanes text[]) RETURNS TABLE (lane text, running int, waiting int)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT j.lane::text, (count(*) FILTER (WHERE j.executor_id IS NOT NULL))::int,
                        (count(*) FILTER (WHERE j.executor_id IS NULL))::int
                 FROM durable.jobs j WHERE j.lane = ANY(of_lanes) GROUP BY j.lane;
END $$;

CREATE FUNCTION agent_priority(wanted int) RETURNS int LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT array_position(ARRAY['low', 'medium', 'high', 'critical'], configuration->>'priority_level') - 1
                     FROM public.agents WHERE id = wanted), 1);
END $$;

CREATE FUNCTION wake_agents(wanted int[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE public.agents SET status = 'active', status_changed_at = now() WHERE id = ANY(wanted) AND status = 'idle';
END $$;

CREATE FUNCTION agent_for_start(wanted int) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('name', name, 'status', status, 'is_stopping', stopping IS NOT NULL,
                                      'status_reason', status_reason, 'timeout_s', configuration->'timeout_seconds')
            FROM public.agents WHERE id = wanted);
END $$;

CREATE FUNCTION durable.forget_work() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := current_setting('automatos.workspace_id', true);
BEGIN
    PERFORM set_config('automatos.workspace_id', old.id::text, true);
    DELETE FROM public.recipe_executions WHERE workspace_id = old.id;
    PERFORM set_config('automatos.workspace_id', coalesce(before, ''), true);
    RETURN old;
END $$;

CREATE FUNCTION persona_for_run(wanted uuid) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('id', id, 'slug', slug, 'name', name, 'category', category, 'scope', scope,
                                      'system_prompt', system_prompt, 'voice_description', voice_description,
                                      'suggested_temperature', suggested_temperature)
            FROM public.personas WHERE id = wanted AND is_active);
END $$;

CREATE FUNCTION skills_for_run(wanted int[]) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name, 'description', s.description,
                                                'version', s.current_version, 'core_tokens', s.core_tokens,
                                                'tools_schema', s.tools_schema) ORDER BY w.place)
            FROM unnest(wanted) WITH ORDINALITY AS w (id, place) JOIN public.skills s ON s.id = w.id WHERE s.is_active);
END $$;

CREATE FUNCTION persona_cards(wanted uuid[], named text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object('id', id, 'slug', slug, 'name', name, 'category', category, 'scope', scope,
                                                'is_active', is_active) ORDER BY workspace_id NULLS LAST)
            FROM public.personas WHERE CASE WHEN named IS NULL THEN id = ANY(wanted) ELSE slug = named END);
END $$;

CREATE FUNCTION skill_cards(wanted int[], named text[]) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object('id', id, 'name', name, 'description', description,
                                                'skill_type', skill_type, 'category', category, 'source', source,
                                                'is_active', is_active, 'core_tokens', core_tokens)
                             ORDER BY workspace_id NULLS LAST, id)
            FROM public.skills WHERE CASE WHEN named IS NULL THEN id = ANY(wanted) ELSE name = ANY(named) END);
END $$;
"""


def make_functions() -> None:
    op.execute("DROP FUNCTION durable.enqueue(text, text, uuid, int, timestamptz)")
    op.execute("DROP FUNCTION durable.finish(text, text)")
    for statement in FUNCTIONS.split(";\n\n"):
        op.execute(statement.replace(":", "\\:"))
    # Tasks have no recipe that would take them along, and a foreign key would lock the workspace at every start.
    op.execute("CREATE TRIGGER forget_work AFTER DELETE ON workspaces "
               "FOR EACH ROW EXECUTE FUNCTION durable.forget_work()")


def protect() -> None:
    for table in OWNED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY inside ON {table} USING (workspace_id = {HERE}) WITH CHECK (workspace_id = {HERE})")
        op.execute(f"CREATE POLICY admin_reads ON {table} FOR SELECT USING ({SCOPE} = 'admin')")
    for table in SHARED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY reads ON {table} FOR SELECT USING (workspace_id IS NULL OR workspace_id = {HERE})")
        op.execute(f"CREATE POLICY inside ON {table} USING (workspace_id = {HERE}) WITH CHECK (workspace_id = {HERE})")
        op.execute(f"CREATE POLICY admin_reads ON {table} FOR SELECT USING ({SCOPE} = 'admin')")
        op.execute(f"CREATE POLICY server_writes ON {table} USING ({SCOPE} = 'engine' AND workspace_id IS NULL) "
                   f"WITH CHECK ({SCOPE} = 'engine' AND workspace_id IS NULL)")
    for table in READ_BY_ENGINE:
        op.execute(f"CREATE POLICY engine_reads ON {table} FOR SELECT USING ({SCOPE} = 'engine')")


def grant() -> None:
    op.execute(f"""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
                GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, durable TO {APP_ROLE};
                GRANT USAGE ON ALL SEQUENCES IN SCHEMA public, durable TO {APP_ROLE};
                GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA durable TO {APP_ROLE};
                REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {APP_ROLE};
            END IF;
        END $$""")


def name_types() -> None:
    """Stored keys are of the type of their provider."""
    op.add_column('credentials', sa.Column('credential_type', sa.String(length=100), nullable=True))
    op.execute("ALTER TABLE credentials NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE credentials SET credential_type = CASE provider WHEN 'azure' THEN 'azure_openai' "
               "ELSE provider || '_api' END")
    op.execute("ALTER TABLE credentials FORCE ROW LEVEL SECURITY")
    op.alter_column('credentials', 'credential_type', nullable=False)


def open_lanes() -> None:
    """Every agent there is gets its lane; work under way keeps none and ends as it began."""
    op.execute("ALTER TABLE agents NO FORCE ROW LEVEL SECURITY")
    op.execute("INSERT INTO durable.lanes (name, capacity, mode) "
               "SELECT 'agent\\:' || id, coalesce((configuration->>'max_concurrent_tasks')\\:\\:int, 5), "
               "CASE WHEN status IN ('active', 'idle') THEN 'open' WHEN status = 'paused' THEN 'held' ELSE 'closed' END "
               "FROM agents")
    op.execute("ALTER TABLE agents FORCE ROW LEVEL SECURITY")


def keep_versions() -> None:
    """What every agent is now is its first version to go back to."""
    for table in ("agents", "agent_versions"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("INSERT INTO agent_versions (agent_id, version, workspace_id, definition, author, created_at) "
               "SELECT id, version, workspace_id, jsonb_strip_nulls(jsonb_build_object("
               "'name', name, 'description', description, 'agent_type', agent_type, "
               "'marketplace_category', marketplace_category, 'tags', tags, 'model_config', model_config, "
               "'persona', CASE WHEN custom_persona_prompt IS NOT NULL OR use_custom_persona THEN jsonb_build_object("
               "'custom_prompt', custom_persona_prompt, 'use_custom', use_custom_persona) END, "
               "'skills', '[]'\\:\\:jsonb, 'tools', coalesce(configuration->'tools', '[]'), "
               "'configuration', configuration - 'tools')), created_by, updated_at FROM agents")
    for table in ("agents", "agent_versions"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def upgrade() -> None:
    make_tables()
    change_tables()
    make_functions()
    protect()
    grant()
    open_lanes()
    keep_versions()


def make_tables() -> None:
    op.create_table('credential_types',
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('display_name', sa.String(length=200), nullable=False),
    sa.Column('category', sa.String(length=50), nullable=False),
    sa.Column('description', sa.Text(), server_default='', nullable=False),
    sa.Column('schema', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('test_endpoint', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('documentation_url', sa.String(length=500), nullable=True),
    sa.Column('is_active', sa.Boolean(), server_default='true', nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('lanes',
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('capacity', sa.Integer(), nullable=False),
    sa.Column('mode', sa.String(length=10), server_default='open', nullable=False),
    sa.PrimaryKeyConstraint('name'),
    schema='durable'
    )
    op.create_table('patterns',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('slug', sa.String(length=100), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('description', sa.Text(), server_default='', nullable=False),
    sa.Column('pattern_type', sa.String(length=20), nullable=False),
    sa.Column('pattern_data', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default='true', nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('slug')
    )
    op.create_table('personas',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=True),
    sa.Column('scope', sa.String(length=20), nullable=False),
    sa.Column('slug', sa.String(length=120), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('description', sa.Text(), server_default='', nullable=False),
    sa.Column('system_prompt', sa.Text(), nullable=False),
    sa.Column('voice_description', sa.String(length=500), server_default='', nullable=False),
    sa.Column('category', sa.String(length=100), nullable=False),
    sa.Column('tags', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('suggested_temperature', sa.Numeric(precision=3, scale=2), nullable=True),
    sa.Column('suggested_models', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('source', sa.String(length=20), server_default='manual', nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.Column('created_by', sa.String(length=320), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_personas_category', 'personas', ['category'], unique=False)
    op.create_index('ix_personas_scope', 'personas', ['scope', 'workspace_id'], unique=False)
    op.create_index('uq_personas_slug', 'personas', ['workspace_id', 'slug'], unique=True, postgresql_nulls_not_distinct=True)
    op.create_table('skill_sources',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('source_name', sa.String(length=200), nullable=False),
    sa.Column('source_type', sa.String(length=20), nullable=False),
    sa.Column('git_url', sa.String(length=1000), nullable=True),
    sa.Column('git_branch', sa.String(length=200), nullable=True),
    sa.Column('git_commit_sha', sa.String(length=64), nullable=True),
    sa.Column('pinned_commit', sa.String(length=64), nullable=True),
    sa.Column('auto_update', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('update_frequency_hours', sa.Integer(), server_default='24', nullable=False),
    sa.Column('skills_discovered', sa.Integer(), server_default='0', nullable=False),
    sa.Column('status', sa.String(length=20), server_default='active', nullable=False),
    sa.Column('last_sync_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_sync_status', sa.String(length=20), nullable=True),
    sa.Column('last_sync_error', sa.Text(), nullable=True),
    sa.Column('history', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('created_by', sa.String(length=320), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('uq_skill_sources_name', 'skill_sources', ['workspace_id', 'source_name'], unique=True)
    op.create_table('skills',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=True),
    sa.Column('source_id', sa.Uuid(), nullable=True),
    sa.Column('source', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('description', sa.String(length=1024), nullable=False),
    sa.Column('skill_type', sa.String(length=20), server_default='technical', nullable=False),
    sa.Column('category', sa.String(length=50), server_default='development', nullable=False),
    sa.Column('tags', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('path', sa.String(length=1000), server_default='', nullable=False),
    sa.Column('git_url', sa.String(length=1000), nullable=True),
    sa.Column('git_commit_sha', sa.String(length=64), nullable=True),
    sa.Column('skill_metadata', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('tools_schema', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('current_version', sa.Integer(), server_default='1', nullable=False),
    sa.Column('core_tokens', sa.Integer(), server_default='0', nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default='true', nullable=False),
    sa.Column('created_by', sa.String(length=320), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['source_id'], ['skill_sources.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_skills_source', 'skills', ['source_id'], unique=False)
    op.create_index('uq_skills_name', 'skills', ['workspace_id', 'name'], unique=True, postgresql_nulls_not_distinct=True)
    op.create_table('agent_skills',
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('skill_id', sa.Integer(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), server_default='0', nullable=False),
    sa.Column('assigned_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['skill_id'], ['skills.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agent_id', 'skill_id')
    )
    op.create_index('ix_agent_skills_skill', 'agent_skills', ['skill_id'], unique=False)
    op.create_index(op.f('ix_agent_skills_workspace_id'), 'agent_skills', ['workspace_id'], unique=False)
    op.create_table('agent_versions',
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('definition', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('author', sa.String(length=320), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agent_id', 'version')
    )
    op.create_index(op.f('ix_agent_versions_workspace_id'), 'agent_versions', ['workspace_id'], unique=False)
    op.create_table('heartbeat_results',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('status', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('execution_id', sa.Uuid(), nullable=True),
    sa.Column('findings', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('actions_taken', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('tokens_used', sa.Integer(), server_default='0', nullable=False),
    sa.Column('cost_micro_usd', sa.BigInteger(), nullable=True),
    sa.Column('watched', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('triggered_by', sa.String(length=320), server_default='heartbeat', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_heartbeat_results_agent', 'heartbeat_results', ['agent_id', 'id'], unique=False)
    op.create_index('ix_heartbeat_results_running', 'heartbeat_results', ['workspace_id', 'agent_id'], unique=False, postgresql_where=sa.text("status = 'running'"))
    op.create_index('ix_heartbeat_results_workspace', 'heartbeat_results', ['workspace_id', 'created_at'], unique=False)
    op.create_index('uq_heartbeat_results_due', 'heartbeat_results', ['agent_id', 'due_at'], unique=True)
    op.create_table('heartbeats',
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=False),
    sa.Column('is_enabled', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('config', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.Column('anchor_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('watched', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('agent_id')
    )
    op.create_index('ix_heartbeats_due', 'heartbeats', ['next_at'], unique=False, postgresql_where=sa.text('next_at IS NOT NULL'))
    op.create_index(op.f('ix_heartbeats_workspace_id'), 'heartbeats', ['workspace_id'], unique=False)
    op.create_table('skill_files',
    sa.Column('skill_id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('file_path', sa.String(length=500), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=True),
    sa.Column('file_type', sa.String(length=20), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('file_size_bytes', sa.Integer(), nullable=False),
    sa.Column('estimated_tokens', sa.Integer(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['skill_id'], ['skills.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('skill_id', 'version', 'file_path')
    )
    op.create_index(op.f('ix_skill_files_workspace_id'), 'skill_files', ['workspace_id'], unique=False)
    op.create_table('skill_versions',
    sa.Column('skill_id', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('workspace_id', sa.Uuid(), nullable=True),
    sa.Column('git_commit_sha', sa.String(length=64), nullable=True),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('description', sa.String(length=1024), nullable=False),
    sa.Column('skill_metadata', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('tools_schema', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('author', sa.String(length=320), server_default='', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['skill_id'], ['skills.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('skill_id', 'version')
    )
    op.create_index(op.f('ix_skill_versions_workspace_id'), 'skill_versions', ['workspace_id'], unique=False)


def change_tables() -> None:
    op.add_column('agents', sa.Column('stopping', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.add_column('agents', sa.Column('status_reason', sa.Text(), nullable=True))
    op.add_column('agents', sa.Column('status_changed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False))
    op.add_column('agents', sa.Column('last_active_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index('ix_agents_persona', 'agents', ['persona_id'], unique=False, postgresql_where=sa.text('persona_id IS NOT NULL'))
    op.create_foreign_key('agents_persona_id_fkey', 'agents', 'personas', ['persona_id'], ['id'], ondelete='SET NULL')
    name_types()
    op.add_column('credentials', sa.Column('environment', sa.String(length=20), server_default='production', nullable=False))
    op.add_column('credentials', sa.Column('description', sa.Text(), server_default='', nullable=False))
    op.add_column('credentials', sa.Column('tags', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False))
    op.add_column('credentials', sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('credentials', sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False))
    op.alter_column('credentials', 'provider',
               existing_type=sa.VARCHAR(length=100),
               nullable=True)
    op.add_column('llm_models', sa.Column('supports_streaming', sa.Boolean(), server_default='true', nullable=False))
    op.add_column('llm_models', sa.Column('release_date', sa.Date(), nullable=True))
    op.add_column('llm_models', sa.Column('deprecation_date', sa.Date(), nullable=True))
    op.add_column('llm_models', sa.Column('recommended_for', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False))
    op.add_column('llm_models', sa.Column('default_temperature', sa.Numeric(precision=3, scale=2), server_default='0.7', nullable=False))
    op.add_column('llm_models', sa.Column('min_temperature', sa.Numeric(precision=3, scale=2), server_default='0', nullable=False))
    op.add_column('llm_models', sa.Column('max_temperature', sa.Numeric(precision=3, scale=2), server_default='2', nullable=False))
    op.add_column('llm_models', sa.Column('version', sa.Integer(), server_default='1', nullable=False))
    op.add_column('llm_models', sa.Column('updated_by', sa.String(length=320), server_default='', nullable=False))
    op.add_column('llm_models', sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False))
    op.add_column('llm_usage', sa.Column('credential_id', sa.Uuid(), nullable=True))
    op.create_index('ix_llm_usage_credential', 'llm_usage', ['credential_id', 'created_at'], unique=False, postgresql_where=sa.text('credential_id IS NOT NULL'))
    op.create_index('ix_execution_steps_agent', 'recipe_execution_steps', ['workspace_id', 'agent_id', 'finished_at'], unique=False, postgresql_where=sa.text('finished_at IS NOT NULL'))
    op.add_column('recipe_executions', sa.Column('kind', sa.String(length=20), server_default='recipe', nullable=False))
    op.add_column('recipe_executions', sa.Column('agent_id', sa.Integer(), nullable=True))
    op.add_column('recipe_executions', sa.Column('definition', postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.alter_column('recipe_executions', 'recipe_id',
               existing_type=sa.INTEGER(),
               nullable=True)
    op.create_index('ix_executions_agent', 'recipe_executions', ['agent_id', 'id'], unique=False, postgresql_where=sa.text('agent_id IS NOT NULL'))
    op.create_index('ix_executions_finished', 'recipe_executions', ['workspace_id', 'finished_at'], unique=False, postgresql_where=sa.text("finished_at IS NOT NULL AND kind <> 'heartbeat'"))
    op.add_column('jobs', sa.Column('lane', sa.String(length=100), server_default='', nullable=False), schema='durable')
    op.drop_index(op.f('ix_jobs_waiting'), table_name='jobs', schema='durable', postgresql_where='(executor_id IS NULL)')
    op.create_index('ix_jobs_waiting', 'jobs', ['workspace_id', 'lane', sa.literal_column('priority DESC'), 'run_at'], unique=False, schema='durable', postgresql_where=sa.text('executor_id IS NULL'))
    op.create_index('ix_jobs_lane', 'jobs', ['lane', 'executor_id'], unique=False, schema='durable')


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
