"""The official clients, blocking and awaited: the main job, what goes wrong, and what is sent again."""

import asyncio
import inspect
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from automatos.client import ApiProblem, AsyncClient, Client, Unreachable
from automatos.client.requests import next_page
from tests import surface
from tests.chaos.processes import free_port
from tests.client.conftest import Caller, Scripted, Stream
from tests.fakes.model_calls import Reply
from tests.fakes.model_server import ModelServer
from tests.surface import Make

BREAKS = "one\u2028two\u0085three\x0bfour"
"""Characters at which some libraries end a line."""


def frame(seq: int, type_: str = "step.delta", text: str = "x") -> bytes:
    told = {"seq": seq, "topic": "run:1", "type": type_, "at": "2026-01-01T00:00:00Z", "data": {"text": text}}
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (seq, type_.encode(), orjson.dumps(told))


def a_run(**fields: Any) -> dict[str, Any]:
    return {"id": "r1", "kind": "task", "status": "running", "agent_id": 1, "recipe_id": None, "recipe_name": "Ada",
            "total_tokens": 0, "cost_usd": None, "error": None} | fields


async def test_starts_a_recipe_follows_it_and_reads_what_came_of_it(
    caller: Caller, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(text=BREAKS))
    recipe = await make.recipe("Say {input.what}", inputs={"what": {"type": "string"}})

    assert [each["template_id"] for each in await caller.all("list_recipes")] == [recipe["template_id"]]
    started = await caller("start_recipe", recipe["template_id"], {"what": "hello"})
    seen = await caller.all("follow", started.run_id)
    run = await caller("get_run", started.run_id)

    facts = [event.seq for event in seen if event.seq]
    assert facts == list(range(1, len(facts) + 1))
    assert seen[-1].type == "execution.completed"
    assert [event.data["text"] for event in seen if event.type == "model.answered"] == [BREAKS]
    assert (run.id, run.status, run.is_over, run.output, run.error) == (
        started.run_id, "completed", True, BREAKS, None)


async def test_a_task_is_waited_for_and_says_why_it_failed(
    caller: Caller, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(status=401), repeat=True)
    agent = await make.agent()

    started = await caller("run_agent", agent["id"], "Say hello", max_iterations=1)
    run = await caller("wait", started.run_id)

    assert (run.kind, run.agent_id, run.status) == ("task", agent["id"], "failed")
    assert run.error is not None
    assert run.error.code == "credential_refused"
    assert run.error.next_step


async def test_a_run_is_paused_told_a_signal_resumed_and_begun_again_at_a_step(
    caller: Caller, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(text="thanks"), Reply(text="thanks again"))
    writer = await make.agent("Writer")
    recipe = await make.recipe(
        {"step_id": "paid", "agent_id": None, "wait": {"signal": "paid"}},
        {"step_id": "thank", "agent_id": writer["id"], "prompt_template": "Thank for {step_1_output}"})
    started = await caller("start_recipe", recipe["template_id"])

    await caller("pause_run", started.run_id)
    await caller("send_signal", started.run_id, "paid", {"euros": 7})
    assert not (await caller("get_run", started.run_id)).is_over
    await caller("resume_run", started.run_id)
    first = await caller("wait", started.run_id)
    forks = [await caller("fork_run", started.run_id, "thank", idempotency_key="again") for _ in range(2)]
    second = await caller("wait", forks[0].run_id)

    assert (first.status, first.output, second.status, second.output) == (
        "completed", "thanks", "completed", "thanks again")
    assert forks[0].run_id == forks[1].run_id != started.run_id
    assert "euros" in str(model_server.calls[0].body)
    with pytest.raises(ApiProblem, match="no step"):
        await caller("fork_run", started.run_id, "nothing")


async def test_a_start_that_is_repeated_with_its_key_starts_nothing_twice(caller: Caller, make: Make) -> None:
    recipe = await make.recipe()

    first, second = [await caller("start_recipe", recipe["template_id"], idempotency_key="one") for _ in range(2)]
    other = await caller("start_recipe", recipe["template_id"])

    assert first.run_id == second.run_id != other.run_id
    for run_id in (first.run_id, other.run_id):
        await caller("wait", run_id)


async def test_lists_are_read_page_after_page(caller: Caller, make: Make) -> None:
    agents = [await make.agent(active=False) for _ in range(3)]
    recipe = await make.recipe({"prompt_template": "Hi", "agent_id": (await make.agent())["id"]})
    runs = [(await caller("start_recipe", recipe["template_id"])).run_id for _ in range(3)]
    for run_id in runs:
        await caller("wait", run_id)

    assert {each["id"] for each in agents} < {each["id"] for each in await caller.all("list_agents", limit=2)}
    assert [run.id for run in await caller.all("list_runs", limit=1, kind="recipe")] == runs[::-1]
    log = await caller.all("items", f"/api/runs/{runs[0]}/events.json", limit=2)
    assert [event["seq"] for event in log] == list(range(1, len(log) + 1))
    history = await caller.all("items", f"/api/workflow-recipes/{recipe['template_id']}/executions", limit=2)
    assert len(history) == 3


@pytest.mark.parametrize(("page", "following"), [
    ({"items": [1], "total": 2, "next_cursor": "c"}, {"limit": 1, "cursor": "c"}),
    ({"items": [1], "total": 2, "next_cursor": None}, None),
    ({"items": [1], "total": 2, "skip": 0, "limit": 1}, {"limit": 1, "skip": 1}),
    ({"items": [1], "total": 2, "offset": 1, "limit": 1}, None),
    ({"items": [], "total": 2, "skip": 0, "limit": 1}, None),
    ({"items": [1], "total": 1}, None),
])
def test_the_page_after_this_one_is_asked_for_as_the_list_is_paged(
    page: dict[str, Any], following: dict[str, Any] | None
) -> None:
    assert next_page({"limit": 1}, page) == following


async def test_what_the_server_refuses_is_an_error_with_its_code_and_its_words(
    caller: Caller, opened: Callable[..., Caller], client: surface.Client
) -> None:
    with pytest.raises(ApiProblem, match="This workspace has no run") as absent:
        await caller("get_run", "00000000-0000-0000-0000-000000000000")
    with pytest.raises(ApiProblem) as unfit:
        await caller("post", "/api/agents", {"name": "x", "agent_type": "custom", "mood": "good"})
    with pytest.raises(ApiProblem) as stranger:
        await opened(str(client.http._base_url), api_key="ak_srv_wrong")("get", "/api/agents")
    with pytest.raises(ApiProblem) as unfollowed:
        await caller.all("follow", "00000000-0000-0000-0000-000000000000")

    assert (absent.value.status, absent.value.code) == (404, "run_not_found")
    assert unfit.value.status == 422
    assert [each["field"] for each in unfit.value.document["errors"]] == ["mood"]
    assert stranger.value.status == 401
    assert (unfollowed.value.status, unfollowed.value.code) == (404, "run_not_found")


async def test_nobody_at_the_address_is_told_as_that(opened: Callable[..., Caller]) -> None:
    caller = opened(f"http://127.0.0.1:{free_port()}", retries=1)
    with pytest.raises(Unreachable, match="No server answers"):
        await caller("get", "/health")
    with pytest.raises(Unreachable):
        await caller.all("follow", "1", patience_s=0)
    with pytest.raises(ValueError, match="is no server's address"):
        opened("localhost")


async def test_a_broken_stream_is_taken_up_where_it_broke_each_event_once(
    opened: Callable[..., Caller], scripted: Scripted
) -> None:
    whole = frame(3, text=BREAKS)
    scripted.answers = [
        Stream(frame(1) + frame(2) + whole[:20], is_cut=True), (503, {"detail": "starting"}), None,
        Stream(frame(2) + frame(0, text="being written") + whole), (200, a_run(finished_at=None, last_seq=3)),
        Stream(frame(4)), (200, a_run(finished_at="2026-01-01T00:00:09Z", last_seq=4)),
    ]

    seen = await opened(scripted.url).all("follow", "r1")

    assert [(event.seq, event.data["text"]) for event in seen] == [
        (1, "x"), (2, "x"), (0, "being written"), (3, BREAKS), (4, "x")]
    assert [request.headers.get("Last-Event-ID") for request in scripted.requests] == [
        "0", "2", "2", "2", None, "3", None]


async def test_a_run_that_is_over_and_seen_whole_has_nothing_more(
    caller: Caller, make: Make, client: surface.Client
) -> None:
    run = await client.cooked((await make.recipe())["template_id"])
    async with asyncio.timeout(60):
        assert await caller.all("follow", run["id"], after=run["last_seq"]) == []


FAIL_ONCE: list[Any] = [(503, {"detail": "busy"}), None, (429, {"detail": "slow down"}, {"Retry-After": "0"})]


@pytest.mark.parametrize("failure", FAIL_ONCE, ids=["503", "cut", "429"])
async def test_what_may_be_sent_twice_is_sent_again(
    opened: Callable[..., Caller], scripted: Scripted, failure: Any
) -> None:
    caller = opened(scripted.url)
    scripted.answers = [failure, (200, {"items": []})]
    assert await caller("get", "/api/agents") == {"items": []}

    started = {"run_id": "r1", "status": "queued", "message": "Queued.", "url": "/w/x/runs/r1"}
    scripted.answers = [failure, (202, started)]
    assert (await caller("start_recipe", "tea")).run_id == "r1"
    keys = {request.headers["Idempotency-Key"] for request in scripted.requests[2:]}
    assert (len(scripted.requests), len(keys)) == (4, 1)


@pytest.mark.parametrize("failure", FAIL_ONCE, ids=["503", "cut", "429"])
async def test_what_would_be_done_twice_is_sent_once(
    opened: Callable[..., Caller], scripted: Scripted, failure: Any
) -> None:
    scripted.answers = [failure]
    with pytest.raises((ApiProblem, Unreachable)):
        await opened(scripted.url)("post", "/api/agents", {"name": "x"})
    assert len(scripted.requests) == 1


async def test_a_long_pause_is_told_and_not_waited_for(opened: Callable[..., Caller], scripted: Scripted) -> None:
    scripted.answers = [(429, {"detail": "tomorrow", "code": "rate_limited"}, {"Retry-After": "3600"})]
    with pytest.raises(ApiProblem) as told:
        await opened(scripted.url)("get", "/api/agents")
    assert (told.value.code, told.value.retry_after_s) == ("rate_limited", 3600)


async def test_the_key_of_the_environment_is_sent_to_the_server_of_the_environment_alone(
    opened: Callable[..., Caller], scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOMATOS_API_KEY", "ak_srv_secret")
    monkeypatch.setenv("AUTOMATOS_URL", scripted.url)
    scripted.answers = [(200, {})] * 3

    await opened()("get", "/health")
    await opened(scripted.url)("get", "/health")
    await opened(token="t1")("get", "/health")

    sent = [(request.headers.get("X-API-Key"), request.headers.get("Authorization")) for request in scripted.requests]
    assert sent == [("ak_srv_secret", None), (None, None), (None, "Bearer t1")]


def test_both_clients_have_the_same_calls() -> None:
    def calls(kind: type[Any]) -> dict[str, list[str]]:
        return {name.replace("__aenter__", "__enter__").replace("__aexit__", "__exit__"):
                    list(inspect.signature(method).parameters)
                for name, method in inspect.getmembers(kind, inspect.isfunction)}

    assert calls(Client) == calls(AsyncClient)


def test_the_client_loads_nothing_of_the_server() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import automatos.client, sys; print(*sorted(sys.modules))"],
        capture_output=True, text=True, check=True).stdout.split()
    others = {name.split(".")[1] for name in loaded if name.startswith("automatos.")} - {"client", "kernel"}
    assert others | {"fastapi", "sqlalchemy", "pydantic", "typer"} & set(loaded) == set()
