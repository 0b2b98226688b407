"""A run on disk: its events are a row per record, and one in all when it is over; what agents' runs begin with is shared."""

import re

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0040'
down_revision = '0039'
branch_labels = None
depends_on = None
HERE = "nullif(current_setting('automatos.workspace_id', true), '')::uuid"
SCOPE = "current_setting('automatos.scope', true)"

# Numbers of events that follow each other; `events` has as many items. Before, pieces of text had numbers too, which
# are not there any more: what stands on both sides of a hole is in different rows.
PACK = """
SELECT stream, min(number)::int, max(number)::int, workspace_id, jsonb_agg(event ORDER BY number)
FROM (SELECT n.*, number - row_number() OVER (PARTITION BY stream ORDER BY number) AS island FROM ({numbered}) AS n) AS i
GROUP BY stream, workspace_id, island
"""
APPEND_EVENTS = """
CREATE OR REPLACE FUNCTION durable.append_events(workspace uuid, in_stream text, after_seq int, types text[],
                                                 bodies jsonb[], at_time timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.event_records (stream, seq, last, workspace_id, events)
    SELECT in_stream, after_seq + 1, after_seq + count(*), workspace,
           jsonb_agg(jsonb_build_array(e.type, at_time, e.body) ORDER BY e.n)
    FROM unnest(types, bodies) WITH ORDINALITY AS e (type, body, n) HAVING count(*) > 0;
END $$
"""
# PostgreSQL compresses a row of more than 2 kB: the texts that a run tells several times cost little in one. Rows that
# are large by themselves are compressed already, and would be read and written again for little.
PACK_EVENTS = """
CREATE FUNCTION durable.pack_events() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    of_run text := 'run:' || new.id;
BEGIN
    IF (SELECT count(*) NOT BETWEEN 2 AND 100 OR sum(pg_column_size(r.events)) > 32768
        FROM (SELECT events FROM public.event_records WHERE stream = of_run ORDER BY seq LIMIT 101) AS r) THEN
        RETURN NULL;
    END IF;
    WITH gone AS (
        DELETE FROM public.event_records WHERE stream = of_run RETURNING stream, seq, workspace_id, events
    )
    INSERT INTO public.event_records (stream, seq, last, workspace_id, events)
    {pack};
    RETURN NULL;
END $$
""".format(pack=PACK.format(numbered="SELECT g.stream, g.seq + e.n - 1 AS number, g.workspace_id, e.event FROM gone g, "
                            "jsonb_array_elements(g.events) WITH ORDINALITY AS e (event, n)"))
APPEND_RUNS = """
CREATE OR REPLACE FUNCTION append_runs(workspace uuid, runs jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    run record;
    shared jsonb;
    its_hash bytea;
    today date := (now() AT TIME ZONE 'UTC')::date;
BEGIN
    FOR run IN SELECT * FROM jsonb_to_recordset(runs) AS r (id uuid, agent_id int, execution_id uuid, opening jsonb) LOOP
        shared := run.opening - '{prompt,limits}'::text[];
        its_hash := substr(sha256(convert_to(shared::text, 'UTF8')), 1, 16);
        -- Who uses it again on the same day only looks. What was used lately is not removed, so it stays.
        IF NOT EXISTS (SELECT FROM public.run_setups s
                       WHERE s.workspace_id = workspace AND s.hash = its_hash AND s.used_on >= today) THEN
            INSERT INTO public.run_setups AS s (workspace_id, hash, setup, used_on)
            VALUES (workspace, its_hash, shared, today)
            ON CONFLICT (workspace_id, hash) DO UPDATE SET used_on = greatest(s.used_on, excluded.used_on);
        END IF;
        INSERT INTO public.agent_run_records (id, workspace_id, agent_id, execution_id, opening, setup_hash)
        VALUES (run.id, workspace, run.agent_id, run.execution_id,
                jsonb_build_object('prompt', run.opening->'prompt', 'limits', run.opening->'limits'), its_hash);
    END LOOP;
END $$
"""
# What most answers of models have alike is not written, and is there again for whoever reads.
USUAL = """'{"left_out": [], "reasoning": "", "tool_calls": [], "is_estimated": false, "calls_from_text": false,
  "cache_read_tokens": 0, "cache_write_tokens": 0}'::jsonb"""
APPEND_TURNS = f"""
CREATE OR REPLACE FUNCTION append_turns(workspace uuid, turns jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    usual constant jsonb := {USUAL};
BEGIN
    INSERT INTO public.run_turn_records (run_id, seq, workspace_id, kind, body, input_tokens, output_tokens,
                                         cost_micro_usd, duration_ms, error)
    SELECT t.run_id, t.seq, workspace, t.kind,
           CASE WHEN t.kind = 'model' THEN
               (SELECT coalesce(jsonb_object_agg(b.key, b.value), '{{}}') FROM jsonb_each(t.body) AS b
                WHERE b.value IS DISTINCT FROM usual->b.key)
           ELSE t.body END,
           coalesce(t.input_tokens, 0), coalesce(t.output_tokens, 0), t.cost_micro_usd, coalesce(t.duration_ms, 0),
           t.error
    FROM jsonb_to_recordset(turns) AS t (run_id uuid, seq int, kind text, body jsonb, input_tokens int,
                                         output_tokens int, cost_micro_usd bigint, duration_ms int, error text);
END $$
"""
FORGET = """
CREATE OR REPLACE FUNCTION durable.forget_events() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    before text := current_setting('automatos.workspace_id', true);
BEGIN
    PERFORM set_config('automatos.workspace_id', old.workspace_id::text, true);
    DELETE FROM public.run_turn_records t USING public.agent_run_records r WHERE r.execution_id = old.id AND t.run_id = r.id;
    DELETE FROM public.agent_run_records WHERE execution_id = old.id;
    DELETE FROM public.recipe_execution_steps WHERE execution_id = old.id;
    DELETE FROM public.event_records WHERE stream = 'run:' || old.id;
    PERFORM set_config('automatos.workspace_id', coalesce(before, ''), true);
    RETURN old;
END $$
"""
# Each event and each agent's run as a row, as versions before read them; with the rights of whoever reads.
EVENTS = """
CREATE VIEW events WITH (security_invoker = true) AS
SELECT r.stream, (r.seq + e.n - 1)::int AS seq, r.workspace_id, (e.event->>0)::varchar(50) AS type, e.event->2 AS data,
       (e.event->>1)::timestamptz AS created_at
FROM event_records r CROSS JOIN LATERAL jsonb_array_elements(r.events) WITH ORDINALITY AS e (event, n)
"""
AGENT_RUNS = """
CREATE VIEW agent_runs WITH (security_invoker = true) AS
SELECT r.id, r.workspace_id, r.agent_id, r.execution_id,
       CASE WHEN r.setup_hash IS NULL THEN r.opening ELSE s.setup || r.opening END AS opening, r.created_at
FROM agent_run_records r LEFT JOIN run_setups s ON s.workspace_id = r.workspace_id AND s.hash = r.setup_hash
"""
RUN_TURNS = f"""
CREATE VIEW run_turns WITH (security_invoker = true) AS
SELECT t.run_id, t.seq, t.workspace_id, t.kind, CASE WHEN t.kind = 'model' THEN {USUAL} || t.body ELSE t.body END AS body,
       t.input_tokens, t.output_tokens, t.cost_micro_usd, t.duration_ms, t.error, t.created_at
FROM run_turn_records t
"""


def upgrade() -> None:
    make_tables()
    move_events()
    for statement in (APPEND_EVENTS, PACK_EVENTS, APPEND_RUNS, APPEND_TURNS, FORGET, EVENTS, AGENT_RUNS, RUN_TURNS):
        op.execute(re.sub(r":(?=[= ])", r"\\:", statement))
    op.execute("CREATE TRIGGER pack_events AFTER UPDATE ON recipe_executions FOR EACH ROW "
               "WHEN (old.finished_at IS NULL AND new.finished_at IS NOT NULL) "
               "EXECUTE FUNCTION durable.pack_events()")
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'automatos_app') THEN
                GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA durable TO automatos_app;
                GRANT SELECT, INSERT, UPDATE, DELETE ON event_records, run_setups TO automatos_app;
                GRANT SELECT ON events, agent_runs, run_turns TO automatos_app;
            END IF;
        END $$""")


def make_tables() -> None:
    op.create_table(
        'event_records', sa.Column('stream', sa.String(100), nullable=False),
        sa.Column('seq', sa.Integer(), nullable=False), sa.Column('last', sa.Integer(), nullable=False),
        sa.Column('workspace_id', sa.Uuid(), nullable=False),
        sa.Column('events', postgresql.JSONB(), nullable=False), sa.PrimaryKeyConstraint('stream', 'seq'))
    op.create_table(
        'run_setups', sa.Column('workspace_id', sa.Uuid(), nullable=False),
        sa.Column('hash', sa.LargeBinary(), nullable=False), sa.Column('setup', postgresql.JSONB(), nullable=False),
        sa.Column('used_on', sa.Date(), nullable=False), sa.PrimaryKeyConstraint('workspace_id', 'hash'),
        sa.ForeignKeyConstraint(['workspace_id'], ['workspaces.id'], ondelete='CASCADE'))
    for table in ('event_records', 'run_setups'):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY inside ON {table} USING (workspace_id = {HERE}) WITH CHECK (workspace_id = {HERE})")
        op.execute(f"CREATE POLICY admin_reads ON {table} FOR SELECT USING ({SCOPE} = 'admin')")
    for table in ('agent_run', 'run_turn'):
        op.rename_table(f"{table}s", f"{table}_records")
        op.execute(f"ALTER INDEX {table}s_pkey RENAME TO {table}_records_pkey")
    op.add_column('agent_run_records', sa.Column('setup_hash', sa.LargeBinary()))
    op.create_index('ix_agent_run_records_setup', 'agent_run_records', ['setup_hash'],
                    postgresql_where=sa.text("setup_hash IS NOT NULL"))


def move_events() -> None:
    op.execute("ALTER TABLE events NO FORCE ROW LEVEL SECURITY")
    numbered = ("SELECT stream, seq AS number, workspace_id, jsonb_build_array(type, created_at, data) AS event "
                "FROM events")
    op.execute("INSERT INTO event_records (stream, seq, last, workspace_id, events)" + PACK.format(numbered=numbered))
    op.drop_table('events')
    for table in ('event_records', 'run_setups'):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
