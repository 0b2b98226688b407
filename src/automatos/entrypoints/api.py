"""The HTTP application: packages' routers, the order of the middleware, one renderer of errors. Assembly only."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import lru_cache

import orjson
from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware import Middleware

import automatos.entrypoints.tables  # noqa: F401  # pyright: ignore[reportUnusedImport]  # foreign keys name all
from automatos import __version__
from automatos.entrypoints import documents, health, overview
from automatos.entrypoints.addresses import Proxies
from automatos.entrypoints.deferred import DeferredRouters
from automatos.entrypoints.description import describe, operation_id
from automatos.entrypoints.frontend import WebApp
from automatos.entrypoints.headers import SecurityHeaders, allow_origins, exact_origins
from automatos.entrypoints.limits import RateLimits
from automatos.entrypoints.middleware import (
    BasePath,
    BodyLimit,
    RequestContext,
    TrailingSlash,
    TrustedHosts,
    UnexpectedErrors,
)
from automatos.entrypoints.problems import add_problem_handlers
from automatos.entrypoints.query_names import refuse_unknown_query
from automatos.entrypoints.read_back import ReadBack
from automatos.entrypoints.services import Services
from automatos.entrypoints.tracing import TracedRequests
from automatos.kernel.hosts import own_hosts
from automatos.kernel.telemetry import configure_logging
from automatos.recipes import router as recipes
from automatos.recipes import runs_router as runs
from automatos.recipes import tasks_router as tasks
from automatos.workspaces import router as workspaces

ROUTERS: tuple[APIRouter, ...] = (
    recipes.router,
    runs.router,
    tasks.router,
    workspaces.router,
    overview.router,
    documents.router,
    health.router,
)
"""What is there at once, the busiest first: they are tried in order. A router carries its own whole prefix.

The others are in `deferred.DEFERRED`.
"""


def create_app(services: Services) -> FastAPI:
    """Assemble the application around one process's services; nothing is connected before its lifespan starts."""
    settings = services.settings
    configure_logging(settings)
    app = FastAPI(
        title="Automatos", version=__version__, description=overview.DESCRIPTION, lifespan=_lifespan,
        openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False,
        generate_unique_id_function=operation_id,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        middleware=_middleware(services), dependencies=[Depends(refuse_unknown_query)],
    )
    app.state.services = services
    app.state.settings = settings
    app.state.web_app = WebApp(settings)
    app.state.openapi_json = lru_cache(maxsize=1)(lambda: orjson.dumps(describe(app)))
    app.openapi = lambda: describe(app)
    add_problem_handlers(app)
    for router in ROUTERS:
        app.include_router(router)
    app.state.deferred = app.router.default = DeferredRouters(app, app.state.web_app)
    return app


def _middleware(services: Services) -> list[Middleware]:
    """Return the layers around the routes, outermost first.

    Names come before everything that answers, headers before everything that refuses, limits before bodies are read.
    """
    settings = services.settings
    proxies = Proxies(settings.trusted_proxies)
    layers = [
        Middleware(BasePath, base_path=settings.base_path) if settings.base_path else None,
        Middleware(RequestContext, statistics=services.statistics, proxies=proxies),
        Middleware(TracedRequests, tracer=lambda: services.tracer) if settings.sends_traces else None,
        Middleware(SecurityHeaders, settings=settings),
        Middleware(TrustedHosts, hosts=own_hosts(settings), proxies=proxies),
        Middleware(allow_origins, exact_origins(settings)),
        Middleware(RateLimits, settings=settings, counters=services.counters),
        Middleware(BodyLimit, settings=settings),
        Middleware(TrailingSlash),
        Middleware(ReadBack),
        Middleware(UnexpectedErrors),
    ]
    return [layer for layer in layers if layer is not None]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Run the services while the application runs."""
    services: Services = app.state.services
    async with services.running():
        yield
