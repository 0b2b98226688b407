"""The front page: an overview of the API for programs, the web app for browsers; and the API's own description."""

from collections import defaultdict
from datetime import datetime
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.routing import iter_route_contexts
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from automatos import __version__
from automatos.entrypoints.addresses import LOCAL_SOCKET
from automatos.entrypoints.deferred import all_routes
from automatos.entrypoints.frontend import WebApp, under_base, wants_page
from automatos.entrypoints.health import SERVICE
from automatos.entrypoints.services import Services
from automatos.kernel.clock import now
from automatos.kernel.openapi import problems
from automatos.kernel.schemas import Out
from automatos.workspaces.deps import current_caller, is_from_this_machine, require_api_key, require_system_admin
from automatos.workspaces.errors import ApiKeyRequired, SystemAdminRequired

DESCRIPTION = "Self-hosted multi-agent orchestration: agents, recipes and durable runs."
DOCS_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
DOCS_STYLE = """:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
code{font-family:ui-monospace,monospace}details{margin:.3rem 0}summary{cursor:pointer}pre{overflow:auto;padding:.5rem}
dt{font-weight:600}"""

DOCUMENTATION = {"pages": "/docs", "reference": "/api/docs", "openapi": "/api/openapi.json"}

router = APIRouter(tags=["overview"])


class Overview(Out):
    """What this server is, where its documents are, and every address it answers at."""

    service: str
    version: str
    status: str
    description: str
    documentation: dict[str, str]
    real_time: dict[str, str]
    health_monitoring: dict[str, str]
    api_endpoints: dict[str, list[str]]
    quick_start: list[str]
    authentication: dict[str, str]
    timestamp: datetime


@router.get("/", response_model=Overview, responses={200: {"content": {"text/html": {}}}})
async def show_overview(request: Request) -> object:
    """Describe the API to programs; browsers get the web app."""
    if wants_page(request.scope):
        web_app: WebApp = request.app.state.web_app
        return web_app.page()
    app: FastAPI = request.app
    await app.state.deferred.load()
    base: str = app.state.settings.base_path
    return {
        "service": SERVICE, "version": __version__, "status": "operational", "description": DESCRIPTION,
        "documentation": {name: base + path for name, path in DOCUMENTATION.items()},
        "real_time": {
            "run": "/api/runs/{id}/events (server-sent events; resume with Last-Event-ID)",
            "workspace": "/api/events?topics=runs,agents (server-sent events)",
        },
        "health_monitoring": {"health": "/health", "endpoints": "/api/health/endpoints", "metrics": "/metrics"},
        "api_endpoints": list_endpoints(app),
        "quick_start": [
            "Open this address in a browser and create the first account.",
            "Make an API key in Settings and send it as X-API-Key.",
            "POST /api/workflow-recipes/{template_id}/execute cooks a recipe; follow its events_url.",
        ],
        "authentication": {
            "session": "the cookie that POST /api/auth/sign-in sets; changes also need X-Requested-With: automatos",
            "token": "Authorization: Bearer <token>",
            "api_key": "X-API-Key: <key>, or Authorization: ApiKey <key>",
            "workspace": "X-Workspace-ID: <id> selects one of your workspaces",
        },
        "timestamp": now(),
    }


def list_endpoints(app: FastAPI) -> dict[str, list[str]]:
    """Return every `METHOD address` of the API, grouped by the first word of the address."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for route in iter_route_contexts(all_routes(app)):
        path = route.path_format or ""
        words = path.removeprefix("/api/").strip("/").split("/")
        groups[words[0] or "overview"] += [f"{method} {path}" for method in sorted(route.methods or ())]
    return dict(sorted(groups.items()))


@router.get("/api/openapi.json", include_in_schema=False)
async def describe_api(request: Request) -> Response:
    """Return the OpenAPI description of this server."""
    await request.app.state.deferred.load()
    return Response(request.app.state.openapi_json(), media_type="application/json")


@router.get("/api/docs", include_in_schema=False)
async def show_reference(request: Request) -> HTMLResponse:
    """Show the API reference as one page that needs no script and no other host."""
    await request.app.state.deferred.load()
    page = under_base(reference_page(request.app.openapi()), request.app.state.settings.base_path)
    return HTMLResponse(page, headers={"Content-Security-Policy": DOCS_POLICY})


def reference_page(description: dict[str, Any]) -> str:
    """Write the reference of an OpenAPI description as HTML, one folded entry per route."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for path, methods in description["paths"].items():
        for method, route in methods.items():
            groups[(route.get("tags") or ["other"])[0]].append(_entry(method, path, route))
    sections = "".join(f"<h2>{escape(name)}</h2>{''.join(entries)}" for name, entries in sorted(groups.items()))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Automatos API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{DOCS_STYLE}</style></head><body>'
        f'<h1>Automatos API {escape(description["info"]["version"])}</h1><p>{escape(DESCRIPTION)} '
        f'The same as data: <a href="./api/openapi.json">openapi.json</a>.</p>{sections}</body></html>'
    )


def _entry(method: str, path: str, route: dict[str, Any]) -> str:
    parameters = "".join(
        f"<dt><code>{escape(each['name'])}</code> ({each['in']}{', required' if each.get('required') else ''})</dt>"
        f"<dd>{escape(each.get('description', ''))}</dd>" for each in route.get("parameters", []))
    body = _schema_name(route.get("requestBody", {}))
    answers = "".join(
        f"<dt>{escape(status)} {escape(_schema_name(answer))}</dt><dd>{escape(answer.get('description', ''))}</dd>"
        for status, answer in route["responses"].items())
    return (
        f"<details><summary><code>{method.upper()} {escape(path)}</code></summary>"
        f"<p>{escape(route.get('description', ''))}</p>"
        f"<dl>{parameters}{f'<dt>body</dt><dd>{escape(body)}</dd>' if body else ''}{answers}</dl></details>"
    )


def _schema_name(part: dict[str, Any]) -> str:
    content: dict[str, Any] = next(iter(part.get("content", {}).values()), {})
    schema = content.get("schema", {})
    name = schema.get("$ref") or schema.get("items", {}).get("$ref") or schema.get("title") or ""
    return str(name).rsplit("/", 1)[-1]


@router.get("/metrics", include_in_schema=False, responses=problems(SystemAdminRequired, ApiKeyRequired))
async def export_metrics(request: Request) -> Response:
    """Return the metrics of this process for Prometheus; to this machine, elsewhere to the operator's key."""
    if request.state.client_address != LOCAL_SOCKET and not is_from_this_machine(request):
        caller = await require_system_admin(await current_caller(request))
        await require_api_key(caller, request.app.state.settings)
    services: Services = request.app.state.services
    return Response(services.metrics(), media_type=CONTENT_TYPE_LATEST)
