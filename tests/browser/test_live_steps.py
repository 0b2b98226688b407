"""A step while it is at work: who does it, how long, with how many tokens; what its model thought and called."""

import asyncio

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.browser.conftest import Stand
from tests.fakes.model_calls import Reply


@pytest.mark.capability("S129")
async def test_the_current_step_its_agent_its_tokens_and_its_duration_are_shown_live(stand: Stand) -> None:
    scout, writer = await stand.agent("Scout"), await stand.agent("Writer")
    steps = [{"step_id": name, "agent_id": agent, "prompt_template": name, "output_key": f"{name}_text", "order": order}
             for order, (name, agent) in enumerate((("gather", scout), ("write", writer)), start=1)]
    await stand.call("POST", "/api/workflow-recipes", {"template_id": "two", "name": "Two", "steps": steps})
    ends = [asyncio.Event() for _ in range(3)]
    stand.model.script(
        Reply(text="Gathered.", usage=(1000, 11), gate=ends[0]),
        Reply(tool_calls=[("calculator", {"expression": "1+1"})], usage=(2000, 22), gate=ends[1]),
        Reply(text="Written.", usage=(3000, 33), gate=ends[2]))
    started = await stand.call("POST", "/api/workflow-recipes/two/execute", {"input_data": {}})
    page = await stand.open(f"/runs/{started['recipe_execution_id']}")
    strip = page.get_by_role("navigation", name="Steps of this run")
    panel, current = page.locator("#step"), strip.locator("[aria-current=step]")
    time = panel.get_by_title("Time of this step")

    await expect(current).to_contain_text("1. gather")
    await expect(current).to_contain_text("Running")
    await expect(panel).to_contain_text("Scout")
    await expect(page.locator("header").first).not_to_contain_text("tok")
    await time.wait_for()
    seen = await time.inner_text()
    await expect(time).not_to_have_text(seen)  # it goes on by itself

    ends[0].set()
    await expect(current).to_contain_text("2. write")
    await expect(current).to_contain_text("Running")
    await expect(panel).to_contain_text("Writer")
    await expect(panel).not_to_contain_text("tok")
    await expect(page.get_by_role("main")).to_contain_text("1,011 tok")

    ends[1].set()
    await expect(panel).to_contain_text("2,022 tok")
    await expect(panel).to_contain_text("Running")
    await expect(page.get_by_role("main")).to_contain_text("3,033 tok")
    seen = await time.inner_text()
    await expect(time).not_to_have_text(seen)
    assert (await Axe().run(page)).response["violations"] == []

    ends[2].set()
    await expect(page.get_by_role("button", name="Cook again")).to_be_visible()
    await expect(panel).to_contain_text("5,055 tok")
    await expect(page.get_by_role("main")).to_contain_text("6,066 tok")
    run = await stand.call("GET", f"/api/runs/{started['recipe_execution_id']}")
    assert run["steps"][1]["duration_ms"] > 0
    last = await time.inner_text()
    await page.reload()
    await expect(time).to_have_text(last)  # what counted up live ends as what is stored


async def test_a_step_says_that_its_tool_calls_were_read_out_of_the_text(stand: Stand) -> None:
    agent = await stand.agent("Scribe")
    page = await stand.done(
        agent,
        Reply(text='Let me see.\n<tool_call>{"name": "calculator", "arguments": {"expression": "1+1"}}</tool_call>'),
        Reply(text="It is two."))
    note = page.get_by_text("The model wrote tool calls into its text; they were read out of it.")
    await expect(page.get_by_role("region", name="Result")).to_contain_text("It is two.")
    await expect(note).to_be_visible()
    assert (await Axe().run(page)).response["violations"] == []

    plain = await stand.done(
        agent, Reply(tool_calls=[("calculator", {"expression": "1+1"})]), Reply(text="Two again."))

    await expect(plain.get_by_role("region", name="Result")).to_contain_text("Two again.")
    await expect(plain.get_by_text("were read out of it")).to_have_count(0)


async def test_what_the_model_thought_is_shown_apart_from_its_answer_and_folded(stand: Stand) -> None:
    page = await stand.done(await stand.agent("Thinker"), Reply(text="Paris.", reasoning="Which country? **France**."))
    result = page.get_by_role("region", name="Result")
    await expect(result).to_contain_text("Paris.")
    await expect(result).not_to_contain_text("Which country?")
    await page.get_by_text("How it got there").click()
    thinking = page.locator("details").filter(has=page.locator("summary", has_text="Thinking")).last
    thought = thinking.get_by_text("Which country?")
    await expect(thought).to_be_hidden()

    await thinking.locator("summary").press("Enter")

    await expect(thought).to_be_visible()
    await expect(thinking.locator("strong")).to_have_text("France")
    await expect(thinking).not_to_contain_text("Paris.")
    assert (await Axe().run(page)).response["violations"] == []
    silent = await stand.done(await stand.agent("Silent"), Reply(text="Rome."))
    await silent.get_by_text("How it got there").click()
    await expect(silent.get_by_text("Thinking")).to_have_count(0)
