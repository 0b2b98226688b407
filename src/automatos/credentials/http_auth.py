"""Credentials for reading from a host over HTTP, such as a git server: the header, for the host they belong to only."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.credentials import queries
from automatos.credentials.contents import Fields, open_fields
from automatos.credentials.errors import CredentialNotFound, CredentialUnfit
from automatos.kernel.clock import now
from automatos.kernel.crypto import Vault
from automatos.workspaces.service import write_audit

GITHUB, SERVER, BASIC = "github_api", "git_server", "http_basic_auth"
TYPES = (GITHUB, SERVER, BASIC)
OWN_HOSTS: Mapping[str, str] = {"api.github.com": "github.com"}
TOKEN_USER, ANY_USER = "x-access-token", "git"


async def read_authorization(
    session: AsyncSession, vault: Vault, workspace_id: UUID, credential_id: UUID, host: str, *, actor: str
) -> str:
    """Return the Authorization header that a stored credential makes for a host. Audited.

    Raises:
        CredentialNotFound: the workspace has no such credential.
        CredentialUnfit: it is of another kind, switched off or expired, or belongs to another host.
        CredentialUnreadable: no key of this server opens it.
    """
    row = await queries.find_credential(session, workspace_id, credential_id)
    if row is None:
        raise CredentialNotFound
    if row.credential_type not in TYPES:
        raise CredentialUnfit(row.name, f"is of the type {row.credential_type}; a repository is read with one of "
                                        f"{', '.join(TYPES)}")
    if not row.is_active or (row.expires_at is not None and row.expires_at <= now()):
        raise CredentialUnfit(row.name, "is switched off or has expired")
    user, password, own_host = _parts(row.credential_type, open_fields(vault, row))
    if own_host is None or own_host.lower() != host.lower():
        belongs = f"belongs to {own_host}" if own_host else "names no host (its field test_url)"
        raise CredentialUnfit(row.name, f"{belongs} and is not sent to {host}")
    row.last_used_at = now()
    await write_audit(session, actor, "credential.used", workspace_id=workspace_id, target_type="credential",
                      target_id=credential_id, detail={"name": row.name, "host": host})
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _parts(kind: str, fields: Fields) -> tuple[str, str, str | None]:
    """Return user, password and the one host that they may be sent to."""
    if kind == GITHUB:
        host = _host(fields.get("api_url") or "https://api.github.com")
        return TOKEN_USER, str(fields["token"]), OWN_HOSTS.get(host or "", host)
    if kind == SERVER:
        return str(fields.get("username") or ANY_USER), str(fields["token"]), str(fields["host"])
    return str(fields["username"]), str(fields["password"]), _host(fields.get("test_url"))


def _host(url: Any) -> str | None:
    """Return host, and port where it is not the usual one, of an address."""
    parts = urlsplit(str(url)) if url else None
    if parts is None or not parts.hostname:
        return None
    return f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
