"""Routers that are loaded when the first request asks for their addresses; the main job needs none of them."""

import asyncio
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Final

from fastapi import FastAPI
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

DEFERRED: Final = {
    "automatos.runtime.router:router": ("agents",),  # before agents: two of its paths look like an agent's id
    "automatos.agents.router:router": ("agents",),
    "automatos.lifecycle.router:router": ("agents",),
    "automatos.workspaces.oidc_router:router": ("auth",),
    "automatos.workspaces.keys_router:router": ("api-keys", "audit"),
    "automatos.workspaces.tenants_router:router": ("admin",),
    "automatos.credentials.router:router": ("credentials",),
    "automatos.settings.router:router": ("settings",),
    "automatos.agents.router:second_address": ("models",),
    "automatos.llm.router:router": ("models", "usage", "credentials"),
    "automatos.skills.router:router": ("skills",),
    "automatos.skills.patterns_router:published": ("patterns",),
    "automatos.tools.router:router": ("tools",),
    "automatos.personas.router:router": ("personas", "workspaces"),
    "automatos.heartbeats.router:router": ("heartbeat",),
    "automatos.heartbeats.agent_config_router:router": ("agents",),
}
"""Each router, as `module:name`, with the words after `/api/` that its addresses begin with.

All routers of a word are loaded together and included in this order, whichever word is asked for first.
"""


class DeferredRouters:
    """Answers what no included route took: includes the routers of the address and asks them, or hands it on.

    It stands behind the routes, so that what they answer costs nothing more; once all are included it only hands on.
    """

    def __init__(self, app: FastAPI, otherwise: ASGIApp) -> None:
        self._app = app
        self._otherwise = otherwise
        self._included: dict[str, BaseRoute] = {}
        self._one_at_a_time = asyncio.Lock()

    @property
    def included(self) -> tuple[str, ...]:
        """The routers that were asked for so far."""
        return tuple(self._included)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        names = self._missing_for(scope["path"]) if scope["type"] == "http" else ()
        if not names:
            await self._otherwise(scope, receive, send)
            return
        await self.load(names)
        await self._app.router(scope, receive, send)

    async def load(self, names: Iterable[str] = DEFERRED) -> None:
        """Include these routers; their modules are imported by a thread, so that other requests go on meanwhile."""
        async with self._one_at_a_time:
            missing = [name for name in names if name not in self._included]
            if missing:
                await asyncio.to_thread(_import_modules, missing)
                self._include(missing)

    def load_all_now(self) -> None:
        """Include all routers before anything else happens: for programs that look at routes and serve nobody."""
        self._include(DEFERRED)

    def _missing_for(self, path: str) -> Sequence[str]:
        if len(self._included) == len(DEFERRED) or not path.startswith("/api/"):
            return ()
        word = path.split("/", 3)[2]
        return [name for name, words in DEFERRED.items() if word in words and name not in self._included]

    def _include(self, names: Iterable[str]) -> None:
        """Add routers, and bring all into the order of the table: descriptions do not tell what was asked for first."""
        routes = self._app.router.routes
        for name in names:
            if name not in self._included:
                module, _, router = name.partition(":")
                self._app.include_router(getattr(import_module(module), router))
                self._included[name] = routes[-1]
        places = {id(self._included[name]): place for place, name in enumerate(DEFERRED) if name in self._included}
        routes.sort(key=lambda route: places.get(id(route), -1))


def _import_modules(names: Iterable[str]) -> None:
    for name in names:
        import_module(name.partition(":")[0])


def all_routes(app: FastAPI) -> list[BaseRoute]:
    """Return the routes of an application with those of every deferred router."""
    app.state.deferred.load_all_now()
    return app.routes
