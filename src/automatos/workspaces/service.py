"""The verbs of this room that others may call."""

from automatos.workspaces.audit import list_audit_of, write_audit
from automatos.workspaces.authenticate import Gatekeeper
from automatos.workspaces.default import get_or_create_default_workspace
from automatos.workspaces.issuer import clerk_host
from automatos.workspaces.keys import create_key
from automatos.workspaces.setup import needs_setup, refuse_open_server, setup_token

__all__ = [
    "Gatekeeper",
    "clerk_host",
    "create_key",
    "get_or_create_default_workspace",
    "list_audit_of",
    "needs_setup",
    "refuse_open_server",
    "setup_token",
    "write_audit",
]
