"""SQL that tells who asks: one statement for each carrier, and one clause in all of them.

It looks across workspaces and needs a connection in `Scope.AUTH`.
"""

from uuid import UUID

import asyncpg

# The one clause that every carrier is let in by: a workspace of our own, or that of the organisation which the identity
# provider vouches for now. A token vouches while it lives, a session as long as the token it was opened with, a key as
# long as the last token its maker showed.
_ALLOWED = "(w.external_org_id IS NULL OR w.external_org_id = {vouched})"

# The place of a person: the workspace they name, or the configured one if it is theirs, or the organisation their
# token speaks for, or their own.
_PLACE = f"""
    SELECT w.id AS workspace_id, m.role
    FROM workspace_members m JOIN workspaces w ON w.id = m.workspace_id AND w.is_active
    WHERE m.user_id = u.id AND {_ALLOWED}
      AND CASE WHEN $2::uuid IS NOT NULL THEN w.id = $2
               ELSE w.id = $3::uuid OR w.external_org_id = {{vouched}} OR (w.is_personal AND w.owner_id = u.id) END
    ORDER BY coalesce(w.id = $3, false) DESC, coalesce(w.external_org_id = {{vouched}}, false) DESC LIMIT 1
"""  # noqa: S608 - constants

_OF_SESSION = "(CASE WHEN s.organisation_until > now() THEN s.organisation END)"

_BY_SESSION = f"""
    SELECT u.id, u.email, u.name, u.system_role, s.expires_at, place.workspace_id, place.role,
           {_OF_SESSION} AS organisation, s.last_used_at < now() - interval '5 minutes' AS is_use_unnoted
    FROM user_sessions s JOIN users u ON u.id = s.user_id AND u.is_active
    LEFT JOIN LATERAL ({_PLACE.format(vouched=_OF_SESSION)}) place ON true
    WHERE s.token_hash = $1 AND s.expires_at > now()
"""  # noqa: S608 - both halves are constants

_BY_IDENTITY = f"""
    SELECT u.id, u.email, u.name, u.system_role, u.is_active, place.workspace_id, place.role,
           $5::text AS organisation, o.role AS organisation_role, o.workspace_id AS organisation_workspace,
           o.vouched_until, o.is_barred
    FROM users u
    LEFT JOIN LATERAL (
        SELECT m.role, w.id AS workspace_id, m.vouched_until, u.id = ANY(w.barred_user_ids) AS is_barred
        FROM workspaces w LEFT JOIN workspace_members m ON m.workspace_id = w.id AND m.user_id = u.id
        WHERE w.external_org_id = $5::text
    ) o ON true
    LEFT JOIN LATERAL ({_PLACE.format(vouched="$5::text")}) place ON true
    WHERE u.issuer = $1 AND u.external_id = $4
"""  # noqa: S608 - both halves are constants

_OF_MAKER = "(CASE WHEN m.vouched_until > now() THEN w.external_org_id END)"

_BY_KEY = f"""
    SELECT k.id, k.name, k.workspace_id, k.role, k.expires_at,
           CASE WHEN k.belongs_to = 'person' THEN m.role END AS maker_role,
           k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute' AS is_use_unnoted
    FROM api_keys k JOIN workspaces w ON w.id = k.workspace_id AND w.is_active
    LEFT JOIN (workspace_members m JOIN users u ON u.id = m.user_id AND u.is_active)
        ON m.workspace_id = k.workspace_id AND m.user_id = k.created_by
    WHERE k.key_hash = $1 AND k.is_active AND (k.expires_at IS NULL OR k.expires_at > now())
      AND (k.belongs_to = 'workspace' OR k.created_by IS NULL
           OR (m.user_id IS NOT NULL AND {_ALLOWED.format(vouched=_OF_MAKER)}))
"""  # noqa: S608 - constants


async def across_find_session(
    connection: asyncpg.Connection, token_hash: bytes, *, named: UUID | None, configured: UUID | None
) -> asyncpg.Record | None:
    """Return the person behind a live session and their place; `workspace_id` is None where they have none."""
    return await connection.fetchrow(_BY_SESSION, token_hash, named, configured)


async def across_find_identity(
    connection: asyncpg.Connection, issuer: str, external_id: str, *, organisation: str | None,
    named: UUID | None, configured: UUID | None,
) -> asyncpg.Record | None:
    """Return the person an issuer knows by this id, and their place; None when they were never here."""
    return await connection.fetchrow(_BY_IDENTITY, issuer, named, configured, external_id, organisation)


async def across_find_key(connection: asyncpg.Connection, key_hash: bytes) -> asyncpg.Record | None:
    """Return a live API key by the digest of its text."""
    return await connection.fetchrow(_BY_KEY, key_hash)


async def across_find_role(connection: asyncpg.Connection, user_id: int, workspace_id: UUID) -> str | None:
    """Return the role of an active person in an active workspace."""
    return await connection.fetchval(
        "SELECT m.role FROM workspace_members m JOIN users u ON u.id = m.user_id AND u.is_active "
        "JOIN workspaces w ON w.id = m.workspace_id AND w.is_active WHERE m.user_id = $1 AND m.workspace_id = $2",
        user_id, workspace_id,
    )


async def across_note_session_use(connection: asyncpg.Connection, token_hash: bytes) -> None:
    """Note that a session was used just now."""
    await connection.execute("UPDATE user_sessions SET last_used_at = now() WHERE token_hash = $1", token_hash)


async def across_note_key_use(connection: asyncpg.Connection, key_id: UUID) -> None:
    """Note that a key was used just now."""
    await connection.execute("UPDATE api_keys SET last_used_at = now() WHERE id = $1", key_id)
