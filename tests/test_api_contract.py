"""The API does what its description says: no generated request finds a failure or an undescribed answer.

`AUTOMATOS_CONTRACT_EXAMPLES=200 pytest tests/test_api_contract.py` looks longer.
"""

import asyncio
import inspect
import io
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import aiohttp
import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import FailureGroup, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from automatos.entrypoints.deferred import all_routes
from automatos.entrypoints.glossary import read_glossary
from automatos.entrypoints.policy import PUBLIC
from automatos.entrypoints.seed import seed
from automatos.kernel.db import Database
from tests.surface import Client, Make

EXAMPLES = int(os.environ.get("AUTOMATOS_CONTRACT_EXAMPLES", "4"))
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]
ENDLESS = {"GET /api/events"}
"""Answers that do not end."""

AT_HOME: dict[str, dict[str, Any]] = {
    "POST /api/credentials/test": {"provider": "openai", "base_url": None, "credential_type": None},
    "POST /api/models/test": {"provider": "openai"},
    "POST /api/skills/sources/git": {"git_url": "https://127.0.0.1/skills"},
}
"""Fields of bodies that decide whom the server calls, each with what keeps the call on this machine."""

VERBS = {"get", "post", "put", "patch", "delete"}



def zipped() -> bytes:
    """A ZIP file of one skill."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("tidy/SKILL.md", "---\nname: tidy\ndescription: Keeps things tidy.\n---\n\nTidy up.\n")
    return whole.getvalue()


Send = Callable[[Case], None]

SIGNED_IN = schemathesis.Config.from_dict({"generation": {"with-security-parameters": False}})
"""Nobody makes up credentials: the caller has a good one, and what others are told is tested elsewhere."""

schemathesis.openapi.media_type("application/zip", st.one_of(st.just(zipped()), st.binary(max_size=100)))


@schemathesis.serializer("application/zip")
def send_bytes(ctx: schemathesis.SerializationContext, value: Any) -> bytes:
    """What is made up to break the description is not bytes."""
    del ctx
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


@pytest.fixture(scope="module")
async def description(http: aiohttp.ClientSession) -> dict[str, Any]:
    async with http.get("/api/openapi.json") as response:
        return await response.json()


def entries(description: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, ways in description["paths"].items():
        for method, entry in ways.items():
            assert method in VERBS, f"{method} {path}"
            yield f"{method.upper()} {path}", entry


def test_operations_are_named_once_and_described(description: dict[str, Any]) -> None:
    found = dict(entries(description))
    names = [entry["operationId"] for entry in found.values()]

    assert len(set(names)) == len(names)
    assert [name for name, entry in found.items() if not entry.get("summary") or not entry.get("description")] == []
    assert [name for name, entry in found.items() if not entry.get("tags")] == []


def fields_of(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{name}.{field}": shape for name, schema in description["components"]["schemas"].items()
            for field, shape in schema.get("properties", {}).items()}


def parameters_of(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{name} {parameter['name']}": parameter for name, entry in entries(description)
            for parameter in entry.get("parameters", ())}


def test_every_tag_parameter_and_field_is_described(description: dict[str, Any]) -> None:
    parts = fields_of(description) | parameters_of(description)
    tags = {tag for _, entry in entries(description) for tag in entry["tags"]}

    assert len(parts) > 1000
    assert [name for name, part in parts.items() if not part.get("description", "").strip()] == []
    assert {tag["name"] for tag in description["tags"] if tag["description"]} == tags


def test_each_text_of_the_glossary_describes_something_and_repeats_no_schema(app: FastAPI) -> None:
    words = read_glossary()
    bare = get_openapi(title="", version="", routes=all_routes(app))
    silent = {name for name, field in fields_of(bare).items() if "description" not in field}
    own = {f"{schema}.{field}" for schema, fields in words["schemas"].items() for field in fields}
    parameters = {part["name"] for part in parameters_of(bare).values() if "description" not in part}

    assert own - silent == set()
    assert set(words["fields"]) - {name.split(".")[1] for name in silent - own} == set()
    assert set(words["parameters"]) - parameters == set()


TWO_PATHS = {
    "start_agent": "activate_agent", "stop_agent": "deactivate_agent", "list_published_patterns": "list_patterns",
    "get_published_pattern": "get_pattern", "get_agent_model_config": "get_model_config",
    "put_agent_model_config": "put_model_config",
}
"""Operations whose function another path has too, with the name of that function."""


def test_operations_are_named_as_their_functions(description: dict[str, Any], app: FastAPI) -> None:
    """Clients that are generated name their calls by it."""
    functions = {
        f"{method} {route.path_format}": dependant.call.__name__
        for route in iter_route_contexts(all_routes(app)) if (dependant := getattr(route, "dependant", None))
        for method in route.methods or ()
    }
    named = {name: entry["operationId"] for name, entry in entries(description)}

    assert {name: TWO_PATHS.get(each, each) for name, each in named.items()} == {
        name: functions[name] for name in named}
    assert [each for each in named.values() if not re.fullmatch(r"[a-z]+(_[a-z]+)+", each)] == []


def asked_for(dependant: Any) -> Iterator[Callable[..., Any]]:
    """Yield the function of a route and everything that it asks for."""
    yield dependant.call
    for each in dependant.dependencies:
        yield from asked_for(each)


def test_no_request_waits_for_a_thread(app: FastAPI) -> None:
    """FastAPI calls a function that is not asynchronous in a thread: two hand-overs for what is read from memory."""
    called = {function.__name__: function for route in iter_route_contexts(all_routes(app))
              if (dependant := getattr(route, "dependant", None)) for function in asked_for(dependant)}

    assert len(called) > 100
    assert [name for name, function in called.items()
            if not inspect.iscoroutinefunction(function) and not inspect.isasyncgenfunction(function)] == []


def test_what_a_path_names_is_described(description: dict[str, Any]) -> None:
    """Generators leave out operations whose path names something that is not among the parameters."""
    parts = {
        name: {each["name"] for each in entry.get("parameters", []) if each["in"] == "path"}
        for name, entry in entries(description)
    }
    assert parts == {name: set(re.findall(r"{(.+?)}", name)) for name in parts}


def test_every_error_is_a_problem_document(description: dict[str, Any]) -> None:
    wrong = [
        f"{name} {status}"
        for name, entry in entries(description)
        for status, answer in entry["responses"].items()
        if status >= "4" and name != "GET /health" and answer["content"] != PROBLEM
    ]
    assert wrong == []
    assert [name for name, entry in entries(description) if "default" not in entry["responses"]] == []


PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}


def test_what_names_a_thing_says_what_happens_when_it_is_not_there(description: dict[str, Any]) -> None:
    """Routes of one workspace answer 403 for a workspace that is not the caller's, whether or not it exists."""
    silent = [
        name for name, entry in entries(description)
        if any(each["in"] == "path" and each["name"].endswith("_id") and each["name"] != "workspace_id"
               for each in entry.get("parameters", []))
        and "404" not in entry["responses"]
    ]
    assert silent == []


def test_the_description_says_what_it_takes_to_call(description: dict[str, Any]) -> None:
    open_to_all = {name for name, entry in entries(description) if "security" not in entry}
    assert open_to_all <= PUBLIC


# The server draws random numbers while requests are made up; it does so in its own thread, not inside a strategy.
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")
@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
async def test_generated_requests_find_no_failure_and_no_undescribed_answer(
    description: dict[str, Any], client: Client, make: Make, database: Database, mode: GenerationMode
) -> None:
    """Every second request names things that are there, the others whatever comes."""
    await seed(database)
    known = await things(client, make)
    schema = schemathesis.openapi.from_dict(description, config=SIGNED_IN)
    found: dict[str, str] = {}

    def send(case: Case) -> None:
        answer = case.call(base_url=str(client.http._base_url), headers=client.headers, timeout=20,
                           allow_redirects=False)
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as failure:
            found[case.operation.label] = "\n".join([*map(str, failure.exceptions), case.as_curl_command()])

    def examine() -> None:
        for result in schema.get_all_operations():
            operation = result.ok()
            if operation.label not in ENDLESS:
                with suppress(Unsatisfiable):  # nothing can be wrong where nothing is sent
                    explore(operation, mode, known, send)

    await asyncio.to_thread(examine)
    assert found == {}


def explore(operation: APIOperation, mode: GenerationMode, known: dict[str, Any], send: Send) -> None:
    turn = count()

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def attempt(case: Case) -> None:
        named = {name: known[name] for name in (case.path_parameters or {}).keys() & known.keys()}
        if operation.method.upper() == "DELETE":
            if any(str(case.path_parameters[name]) == str(value) for name, value in named.items()):
                return  # the others still need it
        elif named and next(turn) % 2 == 0:
            case.path_parameters |= named
        if isinstance(case.body, dict):
            case.body |= {name: value for name, value in AT_HOME.get(operation.label, {}).items() if name in case.body}
        send(case)

    attempt()


async def things(client: Client, make: Make) -> dict[str, Any]:
    """One of each thing a path can name."""
    recipe = await make.recipe("Say hello")
    run = await client.cooked(recipe["template_id"])
    key = await made(client, "/api/api-keys", name="robot")
    credential = await made(client, "/api/credentials", name="Spare", provider="anthropic", value="sk-ant-spare")
    skill = await made(client, "/api/skills", name="tidy-up", description="Keeps things tidy.", content="Tidy up.")
    persona = await made(client, f"/api/workspaces/{client.workspace_id}/personas", name="Pirate", system_prompt="Arr.")
    return {
        "agent_id": recipe["steps"][0]["agent_id"], "template_id": recipe["template_id"], "run_id": run["id"],
        "version": 1, "workspace_id": str(client.workspace_id), "key_id": key["id"],
        "credential_id": credential["id"], "category": "chatbot", "key": "greeting", "skill_id": skill["id"],
        "persona_id": persona["id"], "entry_id": 1, "name": "openai_api",
        "task": "coding", "slug": "load-balancing",
    }


async def made(client: Client, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status == 201, answer.body
    return answer.json()
