"""The API's own description: what FastAPI knows, our errors in place of its own, and who may call what."""

from typing import Any, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from automatos.entrypoints.deferred import all_routes
from automatos.entrypoints.glossary import describe_words
from automatos.entrypoints.policy import PUBLIC
from automatos.kernel.openapi import ProblemDocument

SECURITY_SCHEMES = {
    "session": {"type": "apiKey", "in": "cookie", "name": "automatos_session"},
    "token": {"type": "http", "scheme": "bearer"},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
ANY_SCHEME: list[dict[str, list[str]]] = [{name: []} for name in SECURITY_SCHEMES]


def operation_id(route: APIRoute) -> str:
    """Return the name of a route's function, which clients made from the description use for their own.

    Two routes of one function are told apart by the `name` of one of them; a test keeps the names unique.
    """
    return route.name


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI description: every route with its errors and what it takes to call it."""
    if app.openapi_schema is None:
        app.openapi_schema = _describe(app)
    return app.openapi_schema


def _describe(app: FastAPI) -> dict[str, Any]:
    description = get_openapi(title=app.title, version=app.version, description=app.description, routes=all_routes(app))
    if base_path := app.state.settings.base_path:
        description["servers"] = [{"url": base_path}]
    parts = description.setdefault("components", {})
    parts.setdefault("schemas", {})["ProblemDocument"] = ProblemDocument.model_json_schema()
    parts["securitySchemes"] = SECURITY_SCHEMES
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    for route in iter_route_contexts(all_routes(app)):
        for method in route.methods or ():
            entry = description["paths"].get(route.path_format, {}).get(method.lower())
            if entry is None:
                continue
            if f"{method} {route.path_format}" not in PUBLIC:
                entry["security"] = ANY_SCHEME
            if "422" in entry["responses"]:
                entry["responses"]["422"] = {"description": "A field is missing or wrong; `errors` names each.",
                                             "content": problem}
            _say_what_streams_hold(entry["responses"])
            entry["responses"]["default"] = {"description": "Any other error.", "content": problem}
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    describe_words(description)
    return description


def _say_what_streams_hold(responses: dict[str, Any]) -> None:
    """Describe a stream by its server-sent events, whose `data` is JSON; FastAPI takes the stream for one text."""
    for answer in responses.values():
        if stream := answer.get("content", {}).get("text/event-stream"):
            schema = stream.pop("schema")
            held = {"contentSchema": {"$ref": schema["$ref"]}} if "$ref" in schema else {}
            data = {"type": "string", "contentMediaType": "application/json", **held}
            stream["itemSchema"] = {"type": "object", "required": ["data"], "properties": {
                "id": {"type": "string"}, "event": {"type": "string"}, "data": data}}


FILES = {"agent": "AgentFile", "recipe": "RecipeFile"}
"""The documents that people write by hand, each with the name of its schema."""
REFERENCE = "#/components/schemas/"


def describe_file(description: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a document people write, by which editors complete and check it.

    Raises:
        KeyError: there is no document of this kind.
    """
    schemas = description["components"]["schemas"]
    needed, found = [FILES[kind]], dict[str, Any]()
    while needed:
        name = needed.pop()
        if name not in found:
            found[name] = _with_local_references(schemas[name], needed)
    whole = found.pop(FILES[kind])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole, "$defs": found}


def _with_local_references(part: Any, names: list[str]) -> Any:
    """Return a part of a schema that refers to `$defs`, and add the names that it refers to."""
    if isinstance(part, list):
        return [_with_local_references(each, names) for each in cast("list[Any]", part)]
    if not isinstance(part, dict):
        return part
    told = cast("dict[str, Any]", part)
    if isinstance(target := told.get("$ref"), str):
        names.append(target.removeprefix(REFERENCE))
        return {**told, "$ref": f"#/$defs/{names[-1]}"}
    return {key: _with_local_references(each, names) for key, each in told.items() if key != "discriminator"}
