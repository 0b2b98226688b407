"""What a model is given of an agent's skills: their names first, more only when it asks, nothing of other skills."""

import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from automatos.entrypoints.services import Services
from tests.conftest import open_to_server_user
from tests.fakes.model_server import Call, ModelServer, Reply
from tests.surface import Client, Make

BODY = "Count the sheep twice. " * 60
FILE = "Sheep are white, seldom black. " * 200
SCRIPT = """import json, sys
told = json.load(sys.stdin)
open('counted.txt', 'w').write(str(told['sheep']))
print('there are', told['sheep'] * 2, 'eyes')
"""
SKILL: dict[str, Any] = {
    "name": "sheep-counting", "description": "Counts sheep. Use at night.", "content": BODY,
    "files": [{"path": "references/colours.md", "content": FILE}, {"path": "scripts/eyes.py", "content": SCRIPT},
              {"path": "scripts/fails.sh", "content": "echo sorry; exit 3"}],
    "tools_schema": [
        {"name": "eyes", "description": "Counts eyes.", "command": "scripts/eyes.py", "parameters": {
            "type": "object", "required": ["sheep"], "additionalProperties": False,
            "properties": {"sheep": {"type": "integer", "minimum": 1}}}},
        {"name": "fails", "description": "Fails.", "command": "scripts/fails.sh",
         "parameters": {"type": "object"}}],
}
SECRET = {"name": "secret-plans", "description": "Holds the plans.", "content": "The plans are in the attic."}


@pytest.fixture
async def sandboxed(services: Services, client: Client) -> AsyncIterator[Services]:
    """The server, with its home in reach of the sandbox's user while the test lasts."""
    del client
    home = services.settings.home
    modes = {folder: folder.stat().st_mode for folder in [home, *home.parents]}
    open_to_server_user(home)
    await services.toolbox.open()
    if reason := services.toolbox.scripts_off_reason:
        pytest.skip(f"no sandbox on this machine: {reason}")
    yield services
    for folder, mode in modes.items():
        if folder.stat().st_mode != mode:
            folder.chmod(mode)
    await services.toolbox.open()


async def skilled(client: Client, make: Make, **changes: Any) -> dict[str, Any]:
    """An active agent with the skill, in a workspace that has another one too."""
    await client.post("/api/skills", json=SECRET)
    skill = (await client.post("/api/skills", json=SKILL | changes)).json()
    return await make.agent(skill_ids=[skill["id"]])


async def worked(client: Client, agent: dict[str, Any]) -> dict[str, Any]:
    """Let the agent work on a task to its end and return the run."""
    answer = await client.post(f"/api/agents/{agent['id']}/execute", json={"prompt": "How many sheep?"})
    assert answer.status == 202, answer.body
    run_id = answer.json()["execution_id"]
    await client.follow(run_id)
    return (await client.get(f"/api/runs/{run_id}")).json()


def said(call: Call) -> str:
    """Everything a call told the model, apart from the tools' descriptions."""
    return orjson.dumps(call.messages).decode()


@pytest.mark.capability("S060")
async def test_a_skill_is_loaded_step_by_step(client: Client, make: Make, model_server: ModelServer) -> None:
    agent = await skilled(client, make)
    model_server.script(
        Reply(tool_calls=[("load_skill", {"name": "sheep-counting"})]),
        Reply(tool_calls=[("read_skill_file", {"name": "sheep-counting", "path": "references/colours.md"})]),
        Reply(text="Twelve."))

    run = await worked(client, agent)

    assert run["status"] == "completed"
    first, second, third = (said(call) for call in model_server.calls)
    assert "sheep-counting: Counts sheep. Use at night." in first
    assert ("twice" in first, "seldom black" in first) == (False, False)
    assert ("Count the sheep twice." in second, "references/colours.md" in second) == (True, True)
    assert "seldom black" not in second
    assert "seldom black" in third
    assert {"load_skill", "read_skill_file"} <= set(model_server.calls[0].tools)
    sizes = [len(first), len(second), len(third)]
    assert sizes[0] + len(BODY) < sizes[1] + 200
    assert sizes[1] + len(FILE) < sizes[2] + 200
    for told in (first, second, third):
        assert "attic" not in told
        assert "secret-plans" not in told


async def test_a_skill_that_was_not_given_cannot_be_asked_for(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await skilled(client, make)
    model_server.script(
        Reply(tool_calls=[("load_skill", {"name": "secret-plans"}),
                          ("read_skill_file", {"name": "secret-plans", "path": "SKILL.md"}),
                          ("read_skill_file", {"name": "sheep-counting", "path": "../secret-plans/SKILL.md"}),
                          ("secret-plans__run", {})]),
        Reply(text="No."))

    await worked(client, agent)

    results = model_server.calls[1].tool_results
    assert len(results) == 4
    assert not any("attic" in result for result in results)
    assert "is not one of" in results[0]
    assert "no file" in results[2]
    assert "not a tool you were given" in results[3]


async def test_an_agent_without_skills_is_offered_no_tool_for_them(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    await client.post("/api/skills", json=SKILL)
    model_server.script(Reply(tool_calls=[("load_skill", {"name": "sheep-counting"})]), Reply(text="No."))

    await worked(client, await make.agent())

    assert model_server.calls[0].tools == []
    assert "not a tool you were given" in model_server.calls[1].tool_results[0]


@pytest.mark.capability("S061")
async def test_scripts_of_a_skill_are_tools_and_run_in_the_sandbox(
    client: Client, make: Make, model_server: ModelServer, sandboxed: Services
) -> None:
    agent = await skilled(client, make)
    model_server.script(
        Reply(tool_calls=[("sheep-counting__eyes", {"sheep": 6}), ("sheep-counting__eyes", {"sheep": 0}),
                          ("sheep-counting__fails", {})]),
        Reply(text="Twelve."))

    run = await worked(client, agent)

    offered = {tool["function"]["name"]: tool["function"] for tool in model_server.calls[0].body["tools"]}
    assert offered["sheep-counting__eyes"]["parameters"] == SKILL["tools_schema"][0]["parameters"]
    counted, refused, failed = model_server.calls[1].tool_results
    assert "there are 12 eyes" in counted
    assert "sheep" in refused
    assert "less than the minimum" in refused
    assert "exit code 3" in failed
    assert "sorry" in failed
    assert run["status"] == "completed"
    (counted_in,) = sandboxed.settings.home.rglob("counted.txt")
    assert counted_in.read_text() == "6"
    assert list((counted_in.parents[1] / "scripts").iterdir()) == []


async def test_a_skill_that_was_switched_off_or_deleted_is_gone(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await skilled(client, make)
    skill = agent["skills"][0]["id"]
    await client.put(f"/api/skills/{skill}", json={"is_active": False})
    model_server.script(Reply(text="Hm."))
    await worked(client, agent)
    assert "sheep-counting" not in said(model_server.calls[0])
    assert model_server.calls[0].tools == []


async def test_long_instructions_are_read_in_pieces(client: Client, make: Make, model_server: ModelServer) -> None:
    agent = await skilled(client, make, content="".join(f"Step {place:05d}. " for place in range(3_000)))
    model_server.script(
        Reply(tool_calls=[("load_skill", {"name": "sheep-counting"})]),
        Reply(tool_calls=[("load_skill", {"name": "sheep-counting", "offset": 18_000})]), Reply(text="Done."))

    await worked(client, agent)

    first, second = model_server.calls[1].tool_results[0], model_server.calls[2].tool_results[1]
    assert ("Step 00000." in first, "Step 02999." in first, "offset 18000" in first) == (True, False, True)
    assert "Step 02999." in second


COMMAND = ("---\nname: night-watch\ndescription: Watches the attic.\nargument-hint: '[hours]'\n{more}---\n\n"
           "Watch $ARGUMENTS.\n")


async def uploaded(client: Client, more: str) -> int:
    """A skill of somebody else's, with these lines in its head and a file beside it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("night-watch/SKILL.md", COMMAND.format(more=more))
        archive.writestr("night-watch/list.md", "Doors, windows.")
    answer = await client.post("/api/skills/upload", data=out.getvalue(), headers={"Content-Type": "application/zip"})
    assert answer.status == 200, answer.body
    return answer.json()["items"][0]["id"]


async def asked(client: Client, agent: dict[str, Any], prompt: str) -> None:
    answer = await client.post(f"/api/agents/{agent['id']}/execute", json={"prompt": prompt})
    assert answer.status == 202, answer.body
    await client.follow(answer.json()["execution_id"])


@pytest.mark.parametrize("loading", ["on_demand", "preload"])
async def test_a_skill_that_models_may_not_call_up_is_not_shown_to_them(
    client: Client, make: Make, model_server: ModelServer, loading: str
) -> None:
    skill_id = await uploaded(client, "disable-model-invocation: true\n")
    shown = (await client.get(f"/api/skills/{skill_id}")).json()
    assert (shown["disable_model_invocation"], shown["user_invocable"], shown["argument_hint"]) == (
        True, True, "[hours]")
    agent = await make.agent(skill_ids=[skill_id], configuration={"skill_loading": loading})
    model_server.script(
        Reply(tool_calls=[("load_skill", {"name": "night-watch"})]), Reply(text="No."),
        Reply(tool_calls=[("read_skill_file", {"name": "night-watch", "path": "list.md"})]), Reply(text="All shut."))

    await asked(client, agent, "Is the attic shut? See /night-watch 3 for how.")
    untold = model_server.calls[0]
    assert ("night-watch:" in said(untold), "Watches the attic" in said(untold), untold.tools) == (False, False, [])
    assert "not a tool you were given" in model_server.calls[1].tool_results[0]

    await asked(client, agent, "/night-watch 3 hours\nand tell me.")
    told = model_server.calls[2]
    assert ("Watch 3 hours." in said(told), "and tell me." in said(told), told.tools) == (
        True, True, ["read_skill_file"])
    assert "Watch 3 hours." not in orjson.dumps(told.messages[0]).decode()
    assert "Doors, windows." in model_server.calls[3].tool_results[0]


async def test_a_skill_that_people_may_not_call_up_is_the_agents_alone(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent(skill_ids=[await uploaded(client, "user-invocable: 'no'\n")])
    model_server.script(Reply(text="Hm."))
    await asked(client, agent, "/night-watch 3")
    (call,) = model_server.calls
    assert ("Watches the attic" in said(call), "Watch 3." in said(call), call.tools) == (
        True, False, ["load_skill", "read_skill_file"])
    assert call.messages[-1]["content"] == "/night-watch 3"


async def test_a_skill_that_nobody_forbids_is_told_of_and_can_be_called_up(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent(skill_ids=[await uploaded(client, "user-invocable: true\n")])
    model_server.script(Reply(text="Hm."), Reply(text="Hm."))
    await asked(client, agent, "/night-watch")
    await asked(client, agent, "/other-skill 3")
    called, other = model_server.calls
    assert ("Watches the attic" in said(called), "Watch ." in said(called)) == (True, True)
    assert other.messages[-1]["content"] == "/other-skill 3"
