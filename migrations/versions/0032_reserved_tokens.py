"""A step of a graph reserves what a request may use of its run's tokens, so that steps at once cannot exceed them."""

import sqlalchemy as sa
from alembic import op

revision = '0032'
down_revision = '0030'
branch_labels = None
depends_on = None

# A reservation holds while its writer has recorded nothing since: the record that counts what a request used moves the
# step's `last_seq`, whoever takes the step over its `epoch`, and its end `finished_at`. So nobody has to give it back,
# and those of dead writers end with the request's time at the latest. Each statement here has a snapshot of its own,
# taken when the run's row is locked.
RESERVE = """
CREATE FUNCTION reserve_tokens(run uuid, workspace uuid, step_number int, holder_epoch int, wanted int, needed int,
                               allowed int, seconds float8, OUT answer text, OUT granted int, OUT used bigint)
LANGUAGE plpgsql AS $$
DECLARE
    held bigint;
BEGIN
    SELECT e.input_tokens::bigint + e.output_tokens INTO used FROM public.recipe_executions e
    WHERE e.id = run AND e.workspace_id = workspace AND coalesce(e.finished_at, 'infinity') = 'infinity' FOR UPDATE;
    IF NOT FOUND THEN
        answer := 'lost';
        RETURN;
    END IF;
    UPDATE public.recipe_execution_steps s SET reserved_tokens = NULL
    WHERE s.execution_id = run AND s.reserved_tokens IS NOT NULL
          AND (s.step_order = step_number OR s.finished_at IS NOT NULL OR s.epoch <> s.reserved_epoch
               OR s.last_seq <> s.reserved_seq OR s.reserved_until < clock_timestamp());
    SELECT coalesce(sum(s.reserved_tokens), 0) INTO held FROM public.recipe_execution_steps s
    WHERE s.execution_id = run AND s.reserved_tokens IS NOT NULL;
    IF allowed - used < needed THEN
        answer := 'exceeded';
    ELSIF allowed - used - held >= wanted OR held = 0 THEN
        answer := 'open';
        granted := least(wanted, allowed - used);
        UPDATE public.recipe_execution_steps s
        SET reserved_tokens = granted, reserved_epoch = s.epoch, reserved_seq = s.last_seq,
            reserved_until = clock_timestamp() + make_interval(secs => seconds)
        WHERE s.execution_id = run AND s.step_order = step_number AND s.epoch = holder_epoch
              AND s.finished_at IS NULL;
        IF NOT FOUND THEN
            answer := 'lost';
        END IF;
    ELSE
        answer := 'held';
    END IF;
END $$
"""


def upgrade() -> None:
    for name, kind in (('reserved_tokens', sa.Integer()), ('reserved_epoch', sa.Integer()),
                       ('reserved_seq', sa.Integer()), ('reserved_until', sa.DateTime(timezone=True))):
        op.add_column('recipe_execution_steps', sa.Column(name, kind, nullable=True))
    op.create_index('ix_execution_steps_reserved', 'recipe_execution_steps', ['execution_id'],
                    postgresql_where=sa.text('reserved_tokens IS NOT NULL'))
    op.execute(RESERVE)


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
