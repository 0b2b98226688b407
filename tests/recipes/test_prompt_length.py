"""A prompt is counted before it is built, against what its model reads at once, wherever it comes from."""

from typing import Any

import pytest

from automatos.agents.types import SkillSpec
from automatos.entrypoints.services import Services
from automatos.kernel.db import Database
from automatos.llm.errors import PromptTooLong
from automatos.llm.models import LlmModel
from automatos.llm.queries import find_model_named
from automatos.llm.service import prompt_size
from automatos.llm.types import (
    LARGEST_REQUEST_CHARS,
    UNKNOWN_WINDOW_CHARS,
    Message,
    ModelChoice,
    ToolCall,
    ToolSpec,
    Window,
)
from automatos.recipes.placeholders import TooLong
from automatos.recipes.step_runner import fill, prompt_of
from automatos.recipes.types import Step
from automatos.runtime.runtime import with_skill
from tests.fakes.model_server import ModelServer, Reply
from tests.runtime.test_try import frames_of
from tests.surface import Client, Make

UNKNOWN = Window("vllm", "mine")
READER: dict[str, Any] = {"provider": "openai", "model_id": "small-reader"}
"""A model of 1,000 tokens, which are 16,000 characters at most."""


def step(template: str) -> Step:
    return Step(step_id="write", order=1, agent_id=1, prompt_template=template, output_key="text")


@pytest.mark.parametrize(("template", "values", "window"), [
    ("{input.x}" * 2_500, {"input.x": "x" * 100_000}, UNKNOWN),
    ("{{{input.x}}}" * 50, {"input.x": "x" * 100_000}, UNKNOWN),
    ("{a}{b}{previous_output}", {"a": "x" * 1_500_000, "b": "y" * 1_500_000, "previous_output": "z" * 1_500_000},
     UNKNOWN),
    ("{a}{b}", {"a": "x" * 1_500_000, "b": "y" * 1_500_000}, Window("openai", "gpt-4o-mini", 128_000)),
    ("{a}", {"a": "x" * 70_000}, Window("ollama", "tiny", 4_096)),
    ("{a}" * 30, {"a": "x" * 2_000_000}, Window("xai", "grok", 2_000_000)),
])
def test_a_prompt_beyond_its_model_is_refused_by_step_size_and_window_and_is_not_built(
    template: str, values: dict[str, str], window: Window
) -> None:
    with pytest.raises(PromptTooLong, match="'write'") as caught:
        prompt_of(step(template), values, window, 0)
    problem = caught.value
    assert (problem.code, problem.status, problem.is_retryable) == ("prompt_too_long", 422, False)
    assert f"{problem.size:,} characters" in problem.detail
    assert f"{window.chars:,}" in problem.detail
    assert window.tokens is None or f"{window.tokens:,} tokens" in problem.detail
    assert f"{window.model_id} of {window.provider}" in problem.detail
    assert "Shorten" in problem.next_step


@pytest.mark.parametrize(("tokens", "chars"), [
    (None, UNKNOWN_WINDOW_CHARS), (4_096, 65_536), (128_000, 2_048_000), (1_000_000, 16_000_000),
    (2_000_000, LARGEST_REQUEST_CHARS), (10_000_000, LARGEST_REQUEST_CHARS)])
def test_a_window_holds_more_characters_than_its_tokens_have_in_any_text_of_words(
    tokens: int | None, chars: int
) -> None:
    window = Window("openai", "x", tokens)
    assert window.chars == chars


def test_what_the_agent_itself_takes_is_counted_with_the_prompt() -> None:
    window = Window("ollama", "tiny", 1_000)
    assert prompt_of(step("{a}"), {"a": "x" * 9_000}, window, 6_000) == "x" * 9_000
    with pytest.raises(PromptTooLong, match="8,000 characters of its agent's persona and skills"):
        prompt_of(step("{a}"), {"a": "x" * 9_000}, window, 8_000)
    with pytest.raises(PromptTooLong):
        prompt_of(step("x"), {}, window, 16_001)


def test_what_fits_is_built_and_what_does_not_is_only_counted() -> None:
    assert prompt_of(step("{a} and {{a}}"), {"a": "x"}, UNKNOWN, 0) == "x and {a}"
    assert fill("{a}" * 5, {"a": "12"}, limit=25) == "12" * 5
    with pytest.raises(TooLong) as caught:
        fill("{a}" * 1_000_000, {"a": "x" * 1_000_000}, limit=100)
    assert caught.value.size >= 10**12


def test_a_request_is_counted_by_its_texts_calls_and_tools() -> None:
    said = [Message("system", "ab"), Message("assistant", "c", (ToolCall("1", "add", "{1}"),)), Message("tool", "d")]
    assert prompt_size(said) == 2 + 1 + 3 + 1
    assert prompt_size(said, [ToolSpec("add", "Adds.", {})]) == 7 + 3 + 5


def test_a_skill_that_repeats_its_arguments_is_counted_before_they_are_put_in() -> None:
    skill = SkillSpec(id=1, name="echo", description="", version=1, core_tokens=1)
    text = "$ARGUMENTS " * 90_000
    with pytest.raises(PromptTooLong, match="The skill 'echo' with its arguments") as caught:
        with_skill("How", skill, text, "/echo " + "x" * 1_000_000, UNKNOWN)
    assert caught.value.size > 90_000_000_000
    assert with_skill("How", skill, "Say $ARGUMENTS.", "/echo a", UNKNOWN).count("Say a.") == 1


@pytest.fixture
async def reader(services: Services, database: Database, client: Client) -> dict[str, Any]:
    """The model configuration of a model that reads little."""
    del client
    async with database.session(None) as session:
        for model_id, tokens in ((READER["model_id"], 1_000), ("large-reader", 128_000)):
            if await find_model_named(session, "openai", model_id) is None:
                session.add(LlmModel(provider="openai", model_id=model_id, display_name="R", context_window=tokens))
    services.models.forget_prices()
    return dict(READER)


async def ended(client: Client, execution_id: str) -> dict[str, Any]:
    await client.follow(execution_id)
    return (await client.get(f"/api/runs/{execution_id}")).json()


async def test_a_step_of_a_recipe_is_held_to_the_window_of_its_own_agents_model(
    client: Client, make: Make, model_server: ModelServer, reader: dict[str, Any]
) -> None:
    small, large = await make.agent(model_config=reader), await make.agent()
    for agent, status, calls in ((small, "failed", 0), (large, "completed", 1)):
        recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "{input.text}" * 20},
                                   inputs={"text": {"type": "string", "required": True}})
        run = await ended(client, await client.cook(recipe["template_id"], text="word " * 200))
        assert (run["status"], len(model_server.calls)) == (status, calls)
        if run["error"]:
            assert run["error"]["code"] == "prompt_too_long"
            assert all(part in run["error"]["message"] for part in ("'s1'", "1,000 tokens", "16,000", "small-reader"))


@pytest.mark.parametrize("persona", ["", "Be exact. " * 700])
async def test_a_task_counts_the_persona_with_the_prompt(
    client: Client, make: Make, model_server: ModelServer, reader: dict[str, Any], persona: str
) -> None:
    more: dict[str, Any] = {"custom_persona_prompt": persona, "use_custom_persona": True} if persona else {}
    agent = await make.agent(model_config=reader, **more)

    task = (await client.post(f"/api/agents/{agent['id']}/execute", json={"prompt": "x" * 9_500})).json()
    run = await ended(client, task["execution_id"])

    assert run["status"] == ("failed" if persona else "completed")
    assert len(model_server.calls) == (0 if persona else 1)
    if persona:
        assert run["error"]["code"] == "prompt_too_long"


async def test_what_tools_answer_is_counted_before_the_model_is_asked_again(
    client: Client, make: Make, model_server: ModelServer, reader: dict[str, Any]
) -> None:
    agent = await make.agent(model_config=reader, tools=["write_file"])
    model_server.script(Reply(tool_calls=[("write_file", {"path": "a", "content": "x" * 17_000})]))

    task = (await client.post(f"/api/agents/{agent['id']}/execute", json={"prompt": "Write."})).json()
    run = await ended(client, task["execution_id"])

    assert (run["status"], run["error"]["code"]) == ("failed", "prompt_too_long")
    assert "What is said in step 'task' by now" in run["error"]["message"]
    assert len(model_server.calls) == 1


@pytest.mark.parametrize(("size", "last"), [(100, "done"), (17_000, "failed")])
async def test_trying_an_agent_out_counts_the_conversation(
    client: Client, model_server: ModelServer, reader: dict[str, Any], size: int, last: str
) -> None:
    answer = await client.post("/api/agents/try", json={
        "agent": {"name": "Ada", "model_config": reader}, "messages": [{"role": "user", "content": "x" * size}]})

    name, data = frames_of(answer.body)[-1]
    assert (name, data.get("code")) == (last, "prompt_too_long" if last == "failed" else None)
    assert len(model_server.calls) == (1 if last == "done" else 0)


async def test_a_fallback_that_reads_more_is_asked_with_what_the_first_model_cannot_read(
    client: Client, make: Make, model_server: ModelServer, reader: dict[str, Any]
) -> None:
    agent = await make.agent(model_config=reader | {"fallback_model_id": "large-reader"})

    task = (await client.post(f"/api/agents/{agent['id']}/execute", json={"prompt": "x" * 20_000})).json()
    run = await ended(client, task["execution_id"])

    assert run["status"] == "completed"
    assert [call.body["model"] for call in model_server.calls] == ["large-reader"]


async def test_the_window_of_a_choice_is_that_of_whichever_reads_more(
    services: Services, client: Client, reader: dict[str, Any]
) -> None:
    del client
    first = ModelChoice(**reader)
    assert (await services.models.window(first)).tokens == 1_000
    assert (await services.models.window(ModelChoice(**reader, fallback_model_id="large-reader"))).tokens == 128_000
    assert (await services.models.window(ModelChoice("openai", "nobody-knows"))).tokens is None
