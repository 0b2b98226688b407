"""The verbs of this package that others may call."""

from automatos.workspaces.admins import grant_admin, list_admins, needs_admin, revoke_admin
from automatos.workspaces.audit import list_audit_of, write_audit
from automatos.workspaces.authenticate import RequestAuthenticator, operator_key
from automatos.workspaces.claims import clerk_host
from automatos.workspaces.default import get_or_create_default_workspace
from automatos.workspaces.keys import create_key
from automatos.workspaces.plan import PlanLimit, PlanLimitReached, hold_room, require_room
from automatos.workspaces.setup import needs_setup, setup_token, sign_in_mode
from automatos.workspaces.tenants import find_tenant, list_tenants, set_plan

__all__ = [
    "PlanLimit",
    "PlanLimitReached",
    "RequestAuthenticator",
    "clerk_host",
    "create_key",
    "find_tenant",
    "get_or_create_default_workspace",
    "grant_admin",
    "hold_room",
    "list_admins",
    "list_audit_of",
    "list_tenants",
    "needs_admin",
    "needs_setup",
    "operator_key",
    "require_room",
    "revoke_admin",
    "set_plan",
    "setup_token",
    "sign_in_mode",
    "write_audit",
]
