"""Why a session or a key may enter, how long an organisation vouched for a member, who did what as columns."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

APP_ROLE = "automatos_app"


def upgrade() -> None:
    op.add_column('user_sessions', sa.Column('origin', sa.String(20), nullable=False, server_default='password'))
    op.add_column('user_sessions', sa.Column('issuer', sa.String(500), nullable=True))
    op.add_column('user_sessions', sa.Column('organisation', sa.String(255), nullable=True))
    op.add_column('user_sessions', sa.Column('organisation_role', sa.String(20), nullable=True))
    op.add_column('user_sessions', sa.Column('organisation_until', sa.DateTime(timezone=True), nullable=True))
    # Sessions of people from an identity provider say nothing of why they were let in: their owners sign in again.
    op.execute("DELETE FROM user_sessions s USING users u WHERE u.id = s.user_id AND u.external_id IS NOT NULL")
    op.add_column('workspace_members', sa.Column('vouched_until', sa.DateTime(timezone=True), nullable=True))
    op.add_column('workspaces', sa.Column('barred_user_ids', postgresql.ARRAY(sa.Integer()), nullable=False,
                                          server_default='{}'))
    op.add_column('api_keys', sa.Column('belongs_to', sa.String(20), nullable=False, server_default='person'))
    op.execute("UPDATE api_keys SET belongs_to = 'workspace' WHERE created_by IS NULL")
    op.add_column('audit_log', sa.Column('user_id', sa.Integer(), nullable=True))
    op.add_column('audit_log', sa.Column('api_key_id', sa.Uuid(), nullable=True))
    op.add_column('audit_log', sa.Column('carrier', sa.String(20), nullable=False, server_default=''))
    op.execute(f"""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
                REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM {APP_ROLE};
            END IF;
        END $$
    """)


def downgrade() -> None:
    op.execute(f"""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
                GRANT UPDATE, DELETE ON audit_log TO {APP_ROLE};
            END IF;
        END $$
    """)
    for table, names in (
        ('audit_log', ('carrier', 'api_key_id', 'user_id')), ('api_keys', ('belongs_to',)),
        ('workspaces', ('barred_user_ids',)), ('workspace_members', ('vouched_until',)),
        ('user_sessions', ('organisation_until', 'organisation_role', 'organisation', 'issuer', 'origin')),
    ):
        for name in names:
            op.drop_column(table, name)
