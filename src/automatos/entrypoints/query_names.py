"""Refuses query parameters that a route does not know: a misspelt filter must not answer with everything."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Final

from fastapi import Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from starlette.requests import HTTPConnection

from automatos.entrypoints.policy import has_policy
from automatos.kernel.errors import InvalidRequest

WRITTEN_BY_OTHERS: Final = frozenset({"/", "/api/auth/oidc/callback"})
"""Addresses whose query somebody else writes: pages get campaign marks, the provider adds what it likes."""
WORKSPACE: Final = "workspace_id"
MAX_NAMED = 20
MAX_NAME = 100

_known: dict[int, tuple[object, frozenset[str]]] = {}
"""The names each route takes, by the identity of the route; the route is held, so that its identity stays its own."""


async def refuse_unknown_query(request: Request) -> None:
    """Refuse a request whose query names a parameter that its route does not take; naming it and the nearest ones.

    Raises:
        InvalidRequest: lists each unknown name.
    """
    if not request.scope.get("query_string"):
        return
    route: Any = request.scope["route"]
    if route.path_format in WRITTEN_BY_OTHERS:
        return
    known = _names_of(route)
    unknown = [name for name in dict.fromkeys(_sent(request)) if name not in known]
    if unknown:
        raise InvalidRequest(
            _explain(unknown, known),
            errors=[{"field": name[:MAX_NAME], "in": "query", "reason": _reason(name, known)}
                    for name in unknown[:MAX_NAMED]],
        )


def _sent(request: HTTPConnection) -> Iterable[str]:
    return (name for name, _ in request.query_params.multi_items())


def _names_of(route: Any) -> frozenset[str]:
    found = _known.get(id(route))
    if found is None:
        names = {each.alias for each in get_flat_params(route.dependant) if isinstance(each.field_info, Query)}
        if has_policy(route.dependant):
            names.add(WORKSPACE)
        found = _known[id(route)] = (route, frozenset(names))
    return found[1]


def _explain(unknown: list[str], known: frozenset[str]) -> str:
    first = unknown[0]
    more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
    return f"{first[:MAX_NAME]}: {_reason(first, known)}{more}"


def _reason(name: str, known: frozenset[str]) -> str:
    near = get_close_matches(name[:MAX_NAME].lower(), sorted(known), n=3, cutoff=0.6)
    if near:
        return f"is not a query parameter of this address; did you mean {' or '.join(near)}?"
    takes = f"it takes {', '.join(sorted(known))}" if known else "it takes none"
    return f"is not a query parameter of this address; {takes}"
