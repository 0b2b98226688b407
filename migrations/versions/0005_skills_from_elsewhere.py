"""Skills as others write them: who may call them up, what they were saved as last, and how private sources are read."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SKILLS_FOR_RUN = """
CREATE OR REPLACE FUNCTION skills_for_run(wanted int[]) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT jsonb_agg(jsonb_build_object('id', s.id, 'name', s.name, 'description', s.description,
                                                'version', s.current_version, 'core_tokens', s.core_tokens,
                                                'tools_schema', s.tools_schema,
                                                'invocation', s.skill_metadata -> 'invocation') ORDER BY w.place)
            FROM unnest(wanted) WITH ORDINALITY AS w (id, place) JOIN public.skills s ON s.id = w.id WHERE s.is_active);
END $$
"""


def upgrade() -> None:
    op.add_column("skills", sa.Column("revision", sa.Integer(), server_default="1", nullable=False))
    op.add_column("skill_sources", sa.Column("git_folder", sa.String(1000), server_default="", nullable=False))
    op.add_column("skill_sources", sa.Column("credential_id", sa.Uuid(), nullable=True))
    op.create_foreign_key("fk_skill_sources_credential", "skill_sources", "credentials", ["credential_id"], ["id"],
                          ondelete="SET NULL")
    op.create_index("ix_skill_sources_credential", "skill_sources", ["credential_id"])
    op.add_column("skill_sources", sa.Column("last_sync_notes", postgresql.JSONB(), server_default="[]",
                                             nullable=False))
    op.execute(SKILLS_FOR_RUN.replace(":", "\\:"))


def downgrade() -> None:
    raise NotImplementedError("history is linear and forward only: restore a backup instead")
