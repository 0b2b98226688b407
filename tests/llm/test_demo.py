"""The demo provider: useful offline, honest about what it is."""

from uuid import UUID

import pytest

from automatos.credentials.service import Keyring
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database
from automatos.kernel.http import Http
from automatos.llm.service import ModelClient
from automatos.llm.types import CallContext, Message, ModelChoice, ToolSpec

DEMO = ModelChoice("demo", "demo")
CALCULATOR = ToolSpec("calculator", "", {"type": "object", "properties": {"expression": {"type": "string"}},
                                         "required": ["expression"]})
CLOCK = ToolSpec("current_datetime", "", {"type": "object", "properties": {"timezone": {"type": "string"}}})


@pytest.fixture
async def offline(database: Database, tmp_path, outgoing: Http) -> ModelClient:
    settings = Settings(home=tmp_path, demo_delay_ms=0)
    return ModelClient.open(database, settings, outgoing, Keyring(database, Vault(settings), settings))


async def test_every_text_says_it_is_a_demo_and_uses_the_prompt(offline: ModelClient, workspace_id: UUID) -> None:
    prompt = "Write a launch note.\n\nFacts:\n- Ships on Monday\n- Costs 12 dollars"
    pieces: list[str] = []
    asked = [Message("user", prompt)]

    context = CallContext(workspace_id)
    one = await offline.complete(DEMO, asked, [], context, on_delta=pieces.append, deadline_s=5, retries=0)
    two = await offline.complete(DEMO, asked, [], context, on_delta=None, deadline_s=5, retries=0)
    await offline.close()

    assert one.text == two.text == "".join(pieces)
    assert one.text.startswith("[demo]")
    assert "Ships on Monday" in one.text
    assert "Costs 12 dollars" in one.text
    assert one.cost_micro_usd == 0


@pytest.mark.parametrize(("prompt", "tools", "name", "arguments"), [
    ("What is 12 * (3 + 4)?", [CLOCK, CALCULATOR], "calculator", '{"expression":"12 * (3 + 4)"}'),
    ("Which tasks are due today?", [CALCULATOR, CLOCK], "current_datetime", "{}"),
    ("Write a poem.", [CALCULATOR, CLOCK], None, None),
    ("What is 2 + 2?", [], None, None),
])
async def test_calls_an_offered_tool_once_when_the_prompt_fits_it(
    offline: ModelClient, workspace_id: UUID, prompt: str, tools: list[ToolSpec], name: str | None,
    arguments: str | None,
) -> None:
    asked = [Message("user", prompt)]
    context = CallContext(workspace_id)

    first = await offline.complete(DEMO, asked, tools, context, on_delta=None, deadline_s=5, retries=0)

    if name is None:
        assert first.tool_calls == ()
    else:
        (call,) = first.tool_calls
        assert (call.name, call.arguments) == (name, arguments)
        asked += [Message("assistant", "", first.tool_calls), Message("tool", "84 exactly", tool_call_id=call.id)]
        second = await offline.complete(DEMO, asked, tools, context, on_delta=None, deadline_s=5, retries=0)
        assert second.tool_calls == ()
        assert "84 exactly" in second.text
    await offline.close()
