"""Which routes anybody may call; every other route names who may, or the build fails."""

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from automatos.entrypoints.deferred import all_routes
from automatos.workspaces.deps import POLICIES

PUBLIC: Final = frozenset({
    "GET /",
    "GET /health",
    "GET /metrics",  # answers this machine and system admins only; decided inside, because scrapers have no account
    "GET /api/docs",
    "GET /docs",
    "GET /docs/{name}",
    "GET /openapi.json",
    "GET /api/openapi.json",
    "GET /api/schemas/{kind}.json",
    "GET /api/auth/config",
    "GET /api/auth/oidc/sign-in",
    "GET /api/auth/oidc/callback",
    "POST /api/auth/oidc/sign-out",
    "POST /api/setup",
    "POST /api/auth/sign-in",
    "POST /api/auth/sign-out",
    "POST /api/auth/session",
    "POST /api/invitations/sign-up",
})
"""Everything that answers without a caller, as `METHOD route-template`."""


def find_unguarded(app: FastAPI) -> list[str]:
    """Return the routes that are neither public nor depend on a caller, as `METHOD route-template`."""
    return sorted(
        name
        for route in iter_route_contexts(all_routes(app))
        for name in (f"{method} {route.path_format}" for method in (route.methods or ()) if method != "HEAD")
        if name not in PUBLIC and not has_policy(getattr(route, "dependant", None))
    )


def has_policy(dependant: Dependant | None) -> bool:
    """Say whether a route asks who calls it."""
    return bool(policies_of(dependant))


def policies_of(dependant: Dependant | None) -> set[Any]:
    """Return the rules that a route names on who may call it."""
    return {call for call in _calls(dependant) if call in POLICIES} if dependant is not None else set()


def _calls(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        if each.call is not None:
            yield each.call
        yield from _calls(each)
