"""What belongs to a run is written under a lock on the run, and goes with it by one trigger, without foreign keys."""

from alembic import op

revision = '0039'
down_revision = '0038'
branch_labels = None
depends_on = None

PARTS = (("agent_runs", "execution_id"), ("run_turns", "run_id"), ("recipe_execution_steps", "execution_id"))
# Plans are kept from when the tables were small: none that reads a whole table is among them.
FORGET = """
CREATE OR REPLACE FUNCTION durable.forget_events() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    before text := current_setting('automatos.workspace_id', true);
BEGIN
    PERFORM set_config('automatos.workspace_id', old.workspace_id::text, true);
    DELETE FROM public.run_turns t USING public.agent_runs r WHERE r.execution_id = old.id AND t.run_id = r.id;
    DELETE FROM public.agent_runs WHERE execution_id = old.id;
    DELETE FROM public.recipe_execution_steps WHERE execution_id = old.id;
    DELETE FROM public.events WHERE stream = 'run:' || old.id;
    PERFORM set_config('automatos.workspace_id', coalesce(before, ''), true);
    RETURN old;
END $$
"""


def upgrade() -> None:
    # In the order in which workers lock them, so that none waits for this and this for it.
    op.execute("LOCK TABLE recipe_executions, recipe_execution_steps, agent_runs, run_turns IN ACCESS EXCLUSIVE MODE")
    op.execute(FORGET)
    for table, column in PARTS:
        op.drop_constraint(f"{table}_{column}_fkey", table, type_="foreignkey")


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
