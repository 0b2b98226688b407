"""One process gives out jobs: rows say when they changed, grants are numbered, the office has an epoch."""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

APP_ROLE = "automatos_app"
CHANGED = sa.text("((pg_current_xact_id())::text)::bigint")

FUNCTIONS = """
CREATE FUNCTION durable.note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;

CREATE FUNCTION durable.is_there(who uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    of_who bigint := hashtextextended(who::text, 7246302);
    listens boolean;
BEGIN
    SELECT e.is_listening INTO listens FROM durable.executors e WHERE e.id = who AND e.expires_at > clock_timestamp();
    -- A process holds this lock on the connection by which it listens: who is killed is gone before its lease ends.
    IF listens AND pg_try_advisory_lock(of_who) THEN
        PERFORM pg_advisory_unlock(of_who);
        RETURN false;
    END IF;
    RETURN listens IS NOT NULL;
END $$;

CREATE FUNCTION durable.changes(kinds text[], since text)
RETURNS TABLE (name text, key text, workspace_id uuid, lane text, priority int, run_at timestamptz, is_parked boolean,
               crashes int, capacity int, mode text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
    seen pg_snapshot := since::pg_snapshot;
    first bigint := pg_snapshot_xmin(seen)::text::bigint;
BEGIN
    RETURN QUERY
    SELECT j.name::text, j.key::text, j.workspace_id, j.lane::text, j.priority, j.run_at, j.is_parked,
           CASE WHEN j.signal = 'cancel' THEN 0 ELSE j.crashes END, d.capacity, d.mode::text
    FROM (SELECT * FROM durable.jobs w WHERE w.executor_id IS NULL AND w.changed >= first
          ORDER BY w.changed OFFSET 0) j  -- by this order and no other, whatever the table looked like when it was planned
    LEFT JOIN LATERAL (SELECT * FROM durable.lanes l WHERE l.name = j.lane LIMIT 1) d ON true
    WHERE NOT pg_visible_in_snapshot(j.changed::text::xid8, seen) AND j.name = ANY(kinds);
    RETURN QUERY
    SELECT NULL::text, NULL::text, NULL::uuid, d.name::text, NULL::int, NULL::timestamptz, NULL::boolean, NULL::int,
           d.capacity, d.mode::text
    FROM durable.lanes d
    WHERE d.changed >= first AND NOT pg_visible_in_snapshot(d.changed::text::xid8, seen);
END $$;

CREATE FUNCTION durable.due_jobs(kinds text[], after timestamptz, up_to timestamptz)
RETURNS TABLE (name text, key text, workspace_id uuid, lane text, priority int, run_at timestamptz, is_parked boolean,
               crashes int, capacity int, mode text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT j.name::text, j.key::text, j.workspace_id, j.lane::text, j.priority, j.run_at, j.is_parked,
           CASE WHEN j.signal = 'cancel' THEN 0 ELSE j.crashes END, d.capacity, d.mode::text
    FROM (SELECT * FROM durable.jobs p WHERE p.is_parked AND p.run_at > after AND p.run_at <= up_to
          ORDER BY p.run_at OFFSET 0) j
    LEFT JOIN LATERAL (SELECT * FROM durable.lanes l WHERE l.name = j.lane LIMIT 1) d ON true
    WHERE j.executor_id IS NULL AND j.name = ANY(kinds);
END $$;

CREATE FUNCTION durable.held_jobs()
RETURNS TABLE (name text, key text, workspace_id uuid, lane text, executor_id uuid, crashes int)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT j.name::text, j.key::text, j.workspace_id, j.lane::text, j.executor_id, j.crashes
                 FROM durable.jobs j WHERE j.executor_id IS NOT NULL ORDER BY j.executor_id, j.number;
END $$;

CREATE FUNCTION durable.granted_jobs(who uuid, after bigint)
RETURNS TABLE (number bigint, name text, key text, workspace_id uuid, attempts int, crashes int, signal text,
               lane text, mode text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT j.number, j.name::text, j.key::text, j.workspace_id, j.attempts, j.crashes, j.signal::text, j.lane::text,
           coalesce(d.mode, 'open')::text
    FROM durable.jobs j LEFT JOIN LATERAL (SELECT * FROM durable.lanes l WHERE l.name = j.lane LIMIT 1) d ON true
    WHERE j.executor_id = who AND j.number > after ORDER BY j.number;
END $$;

CREATE FUNCTION durable.bury_dead(OUT jobs int, OUT first_ended_at timestamptz)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
BEGIN
    -- Many jobs are in a process when it dies, and one of them may have killed it. Who was alone is to blame, and so is
    -- who has seen three deaths and was by now with such only as had seen none; for the others it is no attempt.
    WITH dead AS (DELETE FROM durable.executors WHERE expires_at <= clock_timestamp() RETURNING id, expires_at),
    orphaned AS (
        SELECT name, key, executor_id, count(*) OVER together = 1
               OR crashes >= 3 AND count(*) FILTER (WHERE crashes > 0) OVER together = 1 AS is_blamed
        FROM (SELECT * FROM durable.jobs h WHERE h.executor_id IS NOT NULL ORDER BY h.executor_id, h.number OFFSET 0) j
        WHERE (executor_id IN (SELECT id FROM dead)
            OR NOT EXISTS (SELECT FROM durable.executors e WHERE e.id = j.executor_id))
        WINDOW together AS (PARTITION BY executor_id)),
    freed AS (
        UPDATE durable.jobs j SET executor_id = NULL, run_at = clock_timestamp(), crashes = crashes + 1,
               attempts = CASE WHEN is_blamed THEN attempts ELSE greatest(attempts - 1, 0) END,
               lane = CASE WHEN signal = 'cancel' THEN '' ELSE lane END
        FROM orphaned o WHERE o.name = j.name AND o.key = j.key AND o.executor_id = j.executor_id
        RETURNING 1)
    SELECT (SELECT count(*)::int FROM freed), (SELECT min(expires_at) FROM dead) INTO jobs, first_ended_at;
END $$;

CREATE FUNCTION durable.grant_jobs(in_epoch bigint, by_dispatcher uuid, names text[], keys text[], lanes text[],
                                   holders uuid[])
RETURNS TABLE (holder uuid, number bigint, name text, key text, workspace_id uuid, attempts int, crashes int,
               signal text, lane text, mode text)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
#variable_conflict use_column
DECLARE
    there uuid[];
    told uuid[] := '{}';
    one record;
    here durable.lanes;
    job durable.jobs;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    IF NOT EXISTS (SELECT FROM durable.dispatcher d WHERE d.epoch = in_epoch) THEN
        RETURN;
    END IF;
    there := ARRAY(SELECT h.id FROM (SELECT DISTINCT unnest(holders) AS id) h
                   JOIN durable.executors e ON e.id = h.id
                   WHERE e.kinds IS NOT NULL AND (h.id = by_dispatcher OR durable.is_there(h.id)));
    -- Jobs that are held move between lanes by themselves, so both count under the same lock.
    PERFORM pg_advisory_xact_lock(7246300, in_order.l)
    FROM (SELECT DISTINCT hashtext(u.l) AS l FROM unnest(lanes) AS u (l) WHERE u.l <> '' ORDER BY 1) AS in_order;
    FOR one IN SELECT * FROM unnest(names, keys, lanes, holders) AS a (name, key, lane, holder)
               WHERE a.holder = ANY(there) LOOP
        SELECT * INTO here FROM durable.lanes d WHERE d.name = one.lane;
        CONTINUE WHEN here.mode = 'held' OR here.mode = 'open' AND here.capacity <= (
            SELECT count(*) FROM durable.jobs h WHERE h.lane = one.lane AND h.executor_id IS NOT NULL);
        -- By nothing but its key, so that no other index looks cheaper while the table is small.
        SELECT * INTO job FROM durable.jobs j WHERE j.name = one.name AND j.key = one.key FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND OR job.executor_id IS NOT NULL OR job.lane <> one.lane
                      OR job.run_at > clock_timestamp();
        UPDATE durable.jobs j SET executor_id = one.holder, attempts = j.attempts + 1, is_parked = false,
               number = nextval('durable.grant_numbers')
        WHERE j.name = one.name AND j.key = one.key RETURNING j.* INTO job;
        holder := one.holder; number := job.number; name := job.name; key := job.key;
        workspace_id := job.workspace_id; attempts := job.attempts; crashes := job.crashes; signal := job.signal;
        lane := job.lane; mode := coalesce(here.mode, 'open');
        RETURN NEXT;
        IF one.holder <> by_dispatcher AND NOT one.holder = ANY(told) THEN
            told := told || one.holder;
            PERFORM pg_notify('automatos_' || replace(one.holder::text, '-', ''), by_dispatcher || E'\\ngranted ');
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION durable.changes_granted(in_epoch bigint, dispatcher_id uuid, kinds text[], since text, most int)
RETURNS TABLE (seen text, epoch bigint, name text, key text, workspace_id uuid, lane text, priority int,
               run_at timestamptz, is_parked boolean, crashes int, capacity int, mode text, number bigint, attempts int,
               signal text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    names text[] := '{}';
    keys text[] := '{}';
    lanes text[] := '{}';
BEGIN
    FOR seen, epoch, name, key, workspace_id, lane, priority, run_at, is_parked, crashes, capacity, mode IN
        SELECT pg_current_snapshot()::text, d.epoch, c.* FROM durable.dispatcher d
        LEFT JOIN durable.changes(kinds, since) c ON true ORDER BY c.priority DESC, c.run_at LOOP
        RETURN NEXT;
        IF key IS NOT NULL AND crashes = 0 AND run_at <= clock_timestamp() THEN
            names := names || name; keys := keys || key; lanes := lanes || lane;
        END IF;
    END LOOP;
    IF cardinality(names) BETWEEN 1 AND most THEN
        RETURN QUERY
        SELECT NULL::text, NULL::bigint, g.name, g.key, g.workspace_id, g.lane, NULL::int, NULL::timestamptz,
               NULL::boolean, g.crashes, NULL::int, g.mode, g.number, g.attempts, g.signal
        FROM durable.grant_jobs(in_epoch, dispatcher_id, names, keys, lanes,
                                array_fill(dispatcher_id, ARRAY[cardinality(names)])) g;
    END IF;
END $$;
"""

# Workers of versions before take jobs by themselves, by these names, unless somebody is there who gives them out.
CLAIM_BEFORE = """
ALTER FUNCTION durable.claim_v2(uuid, int, text[], int) RENAME TO claim_without_dispatcher;

CREATE FUNCTION durable.claim_v2(holder uuid, wanted int, kinds text[], places int)
RETURNS TABLE (name text, key text, workspace_id uuid, attempts int, crashes int, signal text, lane text, mode text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT FROM durable.dispatcher d WHERE durable.is_there(d.executor_id)) THEN
        RETURN QUERY SELECT * FROM durable.claim_without_dispatcher(holder, wanted, kinds, places);
    END IF;
END $$;
"""


def upgrade() -> None:
    add_columns()
    op.create_table(
        'dispatcher',
        sa.Column('is_only', sa.Boolean(), primary_key=True, server_default='true'),
        sa.Column('executor_id', sa.Uuid(), nullable=True),
        sa.Column('epoch', sa.BigInteger(), server_default='0', nullable=False),
        sa.CheckConstraint('is_only', name='only_one'),
        schema='durable')
    op.execute("INSERT INTO durable.dispatcher DEFAULT VALUES")
    for statement in (FUNCTIONS + CLAIM_BEFORE).split(";\n\n"):
        op.execute(statement.replace(":", "\\:"))
    op.execute("CREATE TRIGGER note_change BEFORE UPDATE ON durable.jobs FOR EACH ROW "
               "WHEN (NEW.executor_id IS NULL) EXECUTE FUNCTION durable.note_change()")
    op.execute("CREATE TRIGGER note_change BEFORE UPDATE ON durable.lanes FOR EACH ROW "
               "EXECUTE FUNCTION durable.note_change()")
    op.execute(f"""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
                GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA durable TO {APP_ROLE};
                GRANT SELECT, UPDATE ON durable.dispatcher TO {APP_ROLE};
                GRANT USAGE ON SEQUENCE durable.grant_numbers TO {APP_ROLE};
            END IF;
        END $$""")


def add_columns() -> None:
    """Add what rows say of themselves, and the indexes by which the dispatcher and the workers read on."""
    op.execute("CREATE SEQUENCE durable.grant_numbers")
    op.add_column('jobs', sa.Column('number', sa.BigInteger(), server_default='0', nullable=False), schema='durable')
    for table in ('jobs', 'lanes'):
        op.add_column(
            table, sa.Column('changed', sa.BigInteger(), server_default=CHANGED, nullable=False), schema='durable')
    op.add_column('executors', sa.Column('kinds', sa.ARRAY(sa.Text()), nullable=True), schema='durable')
    op.add_column('executors', sa.Column('is_listening', sa.Boolean(), server_default='false', nullable=False),
                  schema='durable')
    op.drop_index('ix_jobs_waiting', table_name='jobs', schema='durable')
    op.drop_index('ix_jobs_held', table_name='jobs', schema='durable')
    op.create_index('ix_jobs_changed', 'jobs', ['changed'], schema='durable',
                    postgresql_where=sa.text('executor_id IS NULL'))
    op.create_index('ix_jobs_held', 'jobs', ['executor_id', 'number'], schema='durable',
                    postgresql_where=sa.text('executor_id IS NOT NULL'))
    op.create_index('ix_lanes_changed', 'lanes', ['changed'], schema='durable')


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
