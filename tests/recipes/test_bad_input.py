"""Bad input: every route of recipes and runs answers with a clear 4xx that names the field, and keeps nothing."""

import asyncio
import io
from typing import Any

import orjson
import pytest

from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from tests.fakes.model_server import ModelServer
from tests.surface import Answer, Client, Make, add_key

BASE = "/api/workflow-recipes"
JSON = {"Content-Type": "application/json"}


def body(agent_id: int, **fields: Any) -> dict[str, Any]:
    step = {"step_id": "s1", "order": 1, "agent_id": agent_id, "prompt_template": "Say hello"}
    return {"template_id": "bad-input", "name": "Test", "steps": [step]} | fields


def refused(answer: Answer, field: str) -> None:
    """The answer is a 422 that names the field."""
    assert answer.status == 422, answer.body
    assert answer.code in {"invalid_request", "read_only_field"}
    named = [error["field"] for error in answer.json()["errors"]]
    assert any(field in name for name in named), named


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"), ({"name": 5}, "name"), ({"name": "x" * 201}, "name"),
    ({"template_id": "Has Space"}, "template_id"),
    ({"template_id": "../etc"}, "template_id"), ({"template_id": ""}, "template_id"), ({"steps": []}, "steps"),
    ({"steps": "s"}, "steps"), ({"steps": [5]}, "steps"), ({"steps": [{}]}, "step_id"), ({"tags": "x" * 60}, "tags"),
    ({"tags": [""]}, "tags"), ({"inputs": []}, "inputs"), ({"inputs": {"a b": {}}}, "inputs"),
    ({"inputs": {"a": {"type": "file"}}}, "inputs.a.type"), ({"description": None}, "description"),
    ({"execution_config": {"mode": "parallel"}}, "execution_config.mode"),
    ({"execution_config": {"total_timeout_s": 0}}, "total_timeout_s"),
    ({"execution_config": {"retry_delay_ms": 10**30}}, "body"),
    ({"execution_config": {"max_retries": 99}}, "max_retries"),
    ({"workspace_id": str(new_id())}, "workspace_id"), ({"id": 7}, "id"), ({"version": 9}, "version"),
    ({"created_by": "me"}, "created_by"), ({"description": "a\x00b"}, "body"),
    ({"inputs": {"a": {"default": 2**70}}}, "body"),
]
WRONG_STEPS: list[tuple[dict[str, Any], str]] = [
    ({"order": 0}, "order"), ({"order": "first"}, "order"), ({"agent_id": "x"}, "agent_id"),
    ({"agent_id": -1}, "agent_id"),
    ({"agent_id": 2**31}, "agent_id"), ({"agent_id": None}, "agent_id"), ({"prompt_template": ""}, "prompt_template"),
    ({"prompt_template": "x" * 100_001}, "prompt_template"), ({"output_key": "no spaces"}, "output_key"),
    ({"error_handling": "ignore"}, "error_handling"), ({"max_retries": -1}, "max_retries"),
    ({"timeout_s": 0}, "timeout_s"),
    ({"max_iterations": 201}, "max_iterations"), ({"model": "gpt"}, "model"), ({"agent": {"id": 1}}, "agent"),
]


@pytest.mark.parametrize(("wrong", "field"), WRONG)
async def test_a_wrong_field_of_a_recipe_is_named(
    client: Client, make: Make, wrong: dict[str, Any], field: str
) -> None:
    agent = await make.agent()
    await make.recipe(template_id="existing")
    whole = body(agent["id"], **wrong)
    update = {name: value for name, value in whole.items() if name != "template_id" or "template_id" in wrong}

    refused(await client.post(BASE, json=whole), field)
    refused(await client.put(f"{BASE}/existing", json=update), field)
    refused(await client.post(f"{BASE}/validate", json=update), field)
    assert (await client.get(f"{BASE}/bad-input")).status in {404, 422}
    assert (await client.get(f"{BASE}/existing")).json()["version"] == 1


@pytest.mark.parametrize(("wrong", "field"), WRONG_STEPS)
async def test_a_wrong_field_of_a_step_is_named(client: Client, make: Make, wrong: dict[str, Any], field: str) -> None:
    agent = await make.agent()

    whole = body(agent["id"])
    whole["steps"][0] |= wrong

    refused(await client.post(BASE, json=whole), field)


@pytest.mark.parametrize("raw", [
    b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"input_data": {"a": NaN}}', b'{"input_data": {"a": 1e999}}',
    b'{"input_data": {"a": "\\ud800"}}', b'{"input_data": {"a": "\\u0000"}}', b'{"input_data": {"\\u0000": 1}}',
    b'{"input_data": {"a": 99999999999999999999999999}}', b'{"input_data": []}', b'{"input_data": {}, "steps": []}',
    b'{"input_data": ' + b'{"a":' * 60 + b"1" + b"}" * 61, b"[" * 100_000, b'{"model": "x"}',
])
async def test_a_body_that_cannot_start_a_run_starts_none(client: Client, make: Make, raw: bytes) -> None:
    recipe = await make.recipe("{input.a}", inputs={"a": {"type": "object"}})

    answer = await client.post(f"{BASE}/{recipe['template_id']}/execute", data=raw, headers=JSON)

    assert answer.status in {400, 422}, answer.body
    assert answer.json()["detail"]
    assert (await client.get("/api/runs")).json()["total"] == 0


async def test_ten_megabytes_are_refused_quickly(client: Client, make: Make) -> None:
    recipe = await make.recipe("{input.a}", inputs={"a": {}})
    agent = await make.agent()
    huge = "x" * 10_000_000
    sent = {BASE: body(agent["id"], description=huge), f"{BASE}/apply": {"apiVersion": huge},
            f"{BASE}/{recipe['template_id']}/execute": {"input_data": {"a": huge}}}

    for path, document in sent.items():
        answer = await client.post(path, data=io.BytesIO(orjson.dumps(document)), headers=JSON)
        assert answer.status in {413, 422}
    assert (await client.get("/api/runs")).json()["total"] == 0


PATHS = [
    ("GET", "/api/workflow-recipes/a%00b", None), ("PUT", "/api/workflow-recipes/a%00b", {}),
    ("DELETE", "/api/workflow-recipes/a%00b", None), ("POST", "/api/workflow-recipes/a%00b/execute", {}),
    ("GET", "/api/workflow-recipes/%ff%fe", None), ("POST", "/api/workflow-recipes/%ED%A0%80/execute", {}),
    ("GET", "/api/workflow-recipes/" + "x" * 200, None), ("GET", "/api/workflow-recipes/x/versions/0", None),
    ("GET", "/api/workflow-recipes/x/versions/99999999999999999999", None),
    ("GET", "/api/workflow-recipes?limit=0", None),
    ("GET", "/api/workflow-recipes?skip=-1", None), ("GET", "/api/workflow-recipes?limit=1e9", None),
    ("GET", "/api/workflow-recipes?search=%00", None), ("GET", "/api/workflow-recipes?tag=%00", None),
    ("GET", "/api/runs?status=nonsense", None), ("GET", "/api/runs?cursor=1", None),
    ("GET", "/api/runs?limit=201", None),
    ("GET", "/api/runs?recipe=%00", None), ("GET", "/api/runs/1", None), ("GET", "/api/runs/1/events", None),
    ("GET", "/api/runs/1/events.json", None), ("POST", "/api/runs/1/cancel", None), ("GET", "/api/events", None),
    ("GET", "/api/events?topics=", None), ("GET", "/api/workflow-recipes/x/executions/7", None),
    ("GET", "/api/workflow-recipes/x/executions?status=1", None),
]


@pytest.mark.parametrize(("method", "path", "sent"), PATHS)
async def test_an_address_that_cannot_be_meant_is_refused(client: Client, method: str, path: str, sent: Any) -> None:
    answer = await client.send(method, path, json=sent)

    assert 400 <= answer.status < 500, answer.body
    assert answer.json()["detail"]


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=99999999999999", "limit=0", "limit=1001"])
async def test_a_place_in_a_log_that_cannot_be_is_refused(
    client: Client, make: Make, model_server: ModelServer, query: str
) -> None:
    recipe = await make.recipe()
    run = await client.cooked(recipe["template_id"])

    answer = await client.get(f"/api/runs/{run['id']}/events.json?{query}")

    assert (answer.status, answer.code) == (422, "invalid_request")


@pytest.mark.parametrize("last", ["x", "-1", "99999999999999999999", "\u0663", "1; DROP"])
async def test_a_malformed_last_event_id_reads_from_the_beginning(
    client: Client, make: Make, model_server: ModelServer, last: str
) -> None:
    recipe = await make.recipe()
    run_id = await client.cook(recipe["template_id"])
    whole = await client.follow(run_id)

    async with asyncio.timeout(60):
        answer = await client.get(f"/api/runs/{run_id}/events", headers={"Last-Event-ID": last})

    assert answer.status == 200
    assert answer.body.count(b"\nevent: ") == len(whole)


async def test_what_is_foreign_answers_like_what_is_absent(
    client: Client, stranger: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(template_id="private")
    run = await client.cooked("private")
    absent = str(new_id())

    def pairs() -> list[tuple[str, str, str]]:
        return [
            ("GET", f"{BASE}/private", f"{BASE}/absent-1"), ("DELETE", f"{BASE}/private", f"{BASE}/absent-1"),
            ("GET", f"{BASE}/private/versions", f"{BASE}/absent-1/versions"),
            ("GET", f"{BASE}/private/versions/1", f"{BASE}/absent-1/versions/1"),
            ("GET", f"{BASE}/private/executions", f"{BASE}/absent-1/executions"),
            ("GET", f"/api/runs/{run['id']}", f"/api/runs/{absent}"),
            ("GET", f"/api/runs/{run['id']}/events.json", f"/api/runs/{absent}/events.json"),
            ("POST", f"/api/runs/{run['id']}/cancel", f"/api/runs/{absent}/cancel"),
            ("GET", f"{BASE}/private/executions/{run['id']}", f"{BASE}/absent-1/executions/{absent}"),
        ]

    for method, foreign, nothing in pairs():
        theirs, nobodys = await stranger.send(method, foreign), await stranger.send(method, nothing)
        assert (theirs.status, theirs.code) == (nobodys.status, nobodys.code)
        assert theirs.status == 404
    started = await stranger.post(f"{BASE}/private/execute", json={})
    assert (started.status, started.code) == (404, "recipe_not_found")
    assert (await stranger.get(BASE)).json()["total"] == (await stranger.get("/api/runs")).json()["total"] == 0
    elsewhere = {"X-Workspace-ID": str(client.workspace_id)}
    assert (await stranger.get(BASE, headers=elsewhere)).code == "not_a_member"
    assert (await client.get(f"{BASE}/private")).json()["id"] == recipe["id"]


async def test_a_viewer_reads_and_changes_nothing(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    recipe = await make.recipe(template_id="seen")
    run = await client.cooked("seen")
    viewer = Client(client.http, client.workspace_id,
                    {"X-API-Key": await add_key(database, client.workspace_id, "viewer")})
    reads = [BASE, f"{BASE}/seen", f"{BASE}/seen/versions", f"{BASE}/seen/executions", "/api/runs",
             f"/api/runs/{run['id']}", f"/api/runs/{run['id']}/events.json"]
    agent_id = recipe["steps"][0]["agent_id"]
    update = {name: value for name, value in body(agent_id).items() if name != "template_id"}

    assert {(await viewer.get(path)).status for path in reads} == {200}
    answers = [
        await viewer.post(BASE, json=body(agent_id)), await viewer.put(f"{BASE}/seen", json=update),
        await viewer.delete(f"{BASE}/seen"), await viewer.post(f"{BASE}/seen/execute", json={}),
        await viewer.post(f"{BASE}/apply", json=recipe_file()), await viewer.post(f"/api/runs/{run['id']}/cancel"),
        await viewer.post(f"{BASE}/seen/executions/{run['id']}/cancel"),
    ]
    assert {answer.status for answer in answers} == {403}
    assert (await client.get(f"{BASE}/seen")).json()["version"] == 1


async def test_nobody_gets_anything(client: Client, make: Make) -> None:
    await make.recipe(template_id="closed")
    nobody = Client(client.http, client.workspace_id)

    for method, path in (("GET", BASE), ("POST", BASE), ("GET", f"{BASE}/closed"), ("POST", f"{BASE}/closed/execute"),
                         ("GET", "/api/runs"), ("GET", "/api/events?topics=runs")):
        assert (await nobody.send(method, path, json={})).status == 401


async def test_a_topic_that_is_none_cannot_speak_for_the_server(client: Client) -> None:
    """What is asked for is named in the stream's frames, so nothing but a topic may get there."""
    odd = 'agent:1"}%0A%0Aevent: event%0Adata: {"forged":"yes,agent:,agent:x,agent:0,agent:7'
    async with asyncio.timeout(60), client.http.get(f"/api/events?topics={odd}", headers=client.headers) as stream:
        heard = b""
        while b"changed" not in heard:
            heard += await stream.content.readany()

    assert heard == b': following\n\nevent: changed\ndata: {"topic":"agent:7"}\n\n'


def recipe_file(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "automatos/v1", "kind": "Recipe", "agents": [{"name": "Writer", "agent_type": "custom"}],
            "recipe": {"template_id": "from-file", "name": "From a file",
                       "steps": [{"step_id": "write", "agent": "Writer", "prompt_template": "Write"}]}} | fields


@pytest.mark.parametrize(("wrong", "field"), [
    ({"apiVersion": "v2"}, "apiVersion"), ({"kind": "Agent"}, "kind"), ({"agents": [{}]}, "agents"),
    ({"extra": 1}, "extra"),
    ({"recipe": {}}, "recipe"), ({"agents": [{"name": "A"}, {"name": "a"}]}, "body"), ({"agents": "x"}, "agents"),
])
async def test_a_file_that_is_not_a_recipe_file_is_refused(client: Client, wrong: dict[str, Any], field: str) -> None:
    refused(await client.post(f"{BASE}/apply", json=recipe_file(**wrong)), field)
    assert (await client.get("/api/agents")).json()["total"] == 0


async def test_a_file_whose_recipe_has_faults_leaves_nothing_behind(client: Client) -> None:
    file = recipe_file()
    file["recipe"]["steps"] += [{"step_id": "x", "agent": "Nobody", "prompt_template": "Hi"}]
    unknown = await client.post(f"{BASE}/apply", json=file)
    file["recipe"]["steps"] = [{"step_id": "x", "agent": "Writer", "prompt_template": "{gone}"}]
    faulty = await client.post(f"{BASE}/apply", json=file)

    assert (unknown.status, unknown.code) == (422, "recipe_invalid")
    assert unknown.json()["faults"][0]["where"] == "recipe.steps[1].agent"
    assert (faulty.status, faulty.code) == (422, "recipe_invalid")
    assert (await client.get("/api/agents")).json()["total"] == 0
    assert (await client.get(BASE)).json()["total"] == 0


async def test_a_file_is_created_then_unchanged_then_updated(client: Client, model_server: ModelServer) -> None:
    def did(answer: Answer) -> tuple[str, list[str], int]:
        assert answer.status == 200, answer.body
        applied = answer.json()
        return applied["action"], [agent["action"] for agent in applied["agents"]], applied["recipe"]["version"]

    changed = recipe_file()
    changed["recipe"]["steps"][0]["prompt_template"] = "Write better"

    assert did(await client.post(f"{BASE}/apply", json=recipe_file())) == ("created", ["created"], 1)
    assert did(await client.post(f"{BASE}/apply", json=recipe_file())) == ("unchanged", ["unchanged"], 1)
    assert did(await client.post(f"{BASE}/apply", json=changed)) == ("updated", ["unchanged"], 2)
    assert (await client.cooked("from-file"))["status"] == "completed"
    assert model_server.calls[0].last_user_text == "Write better"
