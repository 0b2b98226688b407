"""What is wrong, unknown or waited for is told where somebody looks, in its own words."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Room, Stand, call_until_over
from tests.fakes.model_calls import Reply

PROVIDER = "/api/settings/orchestrator_llm/llm_provider"


async def recipe(room: Room, *names: str) -> None:
    agent = await room.agent("Rower")
    steps = [{"step_id": name, "order": order, "agent_id": agent["id"], "prompt_template": "Row.",
              "output_key": f"{name}_out"} for order, name in enumerate(names, start=1)]
    await room.call("POST", "/api/workflow-recipes", {"template_id": "boat", "name": "Boat", "steps": steps})


async def test_a_default_model_that_cannot_be_asked_is_told_by_the_dialog_that_cooks_and_can_be_changed(
    room: Room,
) -> None:
    await recipe(room, "row")
    page = await room.open("/settings/general")
    provider = page.get_by_role("combobox", name="Provider", exact=True)
    assert "nonsense" not in await provider.locator("option").all_inner_texts()
    wrong = await room.context.request.fetch(
        f"{room.server.url}{PROVIDER}", method="PUT", data={"scope": "workspace", "value": "nonsense"},
        headers={"X-Requested-With": "automatos", "X-Workspace-Id": room.id})
    assert (wrong.status, "must be one of" in await wrong.text()) == (422, True)
    await provider.select_option("groq")
    await page.get_by_role("button", name="Save Provider").click()
    await expect(page.get_by_text("Provider is saved.")).to_be_visible()

    await page.goto(room.address("/recipes?cook=boat"))
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Cook").click()

    await expect(dialog.get_by_role("alert")).to_contain_text("There is no key for Groq.")
    assert (await room.call("GET", "/api/runs"))["total"] == 0
    await page.goto(room.address("/settings/models"))
    await expect(page.get_by_role("combobox", name="Model").first).to_be_enabled()
    await room.call("PUT", PROVIDER, {"scope": "workspace", "value": None})
    await page.goto(room.address("/recipes?cook=boat"))
    await dialog.get_by_role("button", name="Cook").click()
    await page.wait_for_url("**/runs/*")


async def test_a_cost_that_nobody_knows_is_nowhere_shown_as_nothing(stand: Stand) -> None:
    agent = await stand.agent("Unpriced")
    await (await stand.done(agent, Reply(text="Done.", usage=(200, 30)))).close()
    gate = asyncio.Event()
    stand.model.script(Reply(text="word " * 200, chunks=40, gate=gate, gate_after=10))
    task = await stand.call("POST", f"/api/agents/{agent}/execute", {"prompt": "Go on."})
    page = await stand.open(f"/runs/{task['execution_id']}")
    await expect(page.get_by_role("log")).to_contain_text("word word")
    await page.goto(page.url.rpartition("/")[0])
    row = page.get_by_role("table", name="Runs").locator("tbody tr").filter(has_text="Unpriced").first
    await expect(row).to_contain_text("Running")
    await expect(row).not_to_contain_text("$")
    await stand.call("POST", f"/api/runs/{task['execution_id']}/cancel")
    await call_until_over(stand.context, stand.server, task["execution_id"])
    gate.set()

    places = [f"/runs/{task['execution_id']}", f"/agents/{agent}", f"/agents/{agent}?tab=usage", "/agents", "/runs"]
    seen: dict[str, Any] = {}
    for path in places:
        await page.goto(f"{stand.server.url}/w/{stand.workspace}{path}")
        main = page.get_by_role("main")
        await expect(main).to_contain_text("cost unknown")
        seen[path] = "$0.00" in await main.inner_text()
    assert seen == dict.fromkeys(places, False)


async def test_every_request_without_an_answer_stays_listed_and_the_wait_has_a_clock_and_its_limit(
    stand: Stand,
) -> None:
    agent, gate = await stand.agent("Patient"), asyncio.Event()
    busy = Reply(status=429, headers={"Retry-After": "0"}, message="too many of you")
    stand.model.script(busy, Reply(status=500, headers={"Retry-After": "0"}), Reply(text="At last.", gate=gate))
    task = await stand.call("POST", f"/api/agents/{agent}/execute", {"prompt": "Wait."})
    page = await stand.open(f"/runs/{task['execution_id']}")
    step = page.locator("#step")

    await expect(step).to_contain_text("fake-model is asked again.")
    await expect(step).to_contain_text("too many of you")
    clock = step.get_by_text(" of 300 s.")
    seen = await clock.inner_text()
    await expect(clock).not_to_have_text(seen)

    gate.set()
    await expect(page.get_by_role("region", name="Result")).to_contain_text("At last.")
    for attempt, status in ((1, 429), (2, 500)):
        await expect(step).to_contain_text(f"Attempt {attempt} of 4")
        await expect(step).to_contain_text(f"fake-model answered {status}")
    await page.reload()
    await expect(step).to_contain_text("too many of you")


@pytest.mark.parametrize(("width", "most_px"), [(1280, 2_300), (390, 3_600)])
async def test_the_form_of_a_recipe_keeps_no_room_for_errors_and_its_bar_in_sight(
    room: Room, width: int, most_px: int
) -> None:
    await recipe(room, "one", "two", "three")
    page = await room.open("/recipes/boat")
    await page.set_viewport_size({"width": width, "height": 860})
    await expect(page.get_by_role("group", name="Step 3")).to_be_visible()

    assert await page.evaluate("document.documentElement.scrollHeight") < most_px
    gaps = await page.locator("form p[aria-live]").evaluate_all(
        "all => all.filter((one) => !one.textContent && !one.classList.contains('sr-only'))"
        ".map((one) => one.offsetHeight)")
    assert gaps
    assert max(gaps) <= 8

    await page.get_by_role("textbox", name="Description").first.fill("Three rowers.")
    bar = page.get_by_role("region", name="Unsaved changes")
    for height in ("0", "document.documentElement.scrollHeight"):
        await page.evaluate(f"scrollTo(0, {height})")
        await expect(bar.get_by_role("button", name="Save and cook")).to_be_in_viewport()
