"""Patterns in the web app: a workspace writes its own beside the product's, and a step of a recipe names one."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Room, call_until_over
from tests.browser.test_unsaved_work import press, textbox

TAB = "/skills?tab=patterns"


async def say(page: Page, number: int, name: str, text: str) -> None:
    point = page.get_by_role("group", name=f"Point {number}")
    await point.get_by_label("Name of the point").fill(name)
    await point.get_by_label("Says").fill(text)


@pytest.mark.capability("S062")
async def test_a_pattern_is_written_changed_copied_and_deleted(room: Room) -> None:
    page = await room.open(TAB)
    await page.get_by_role("link", name="New pattern").click()
    await textbox("Name")(page).fill("Tide watch")
    await page.get_by_label("Kind").select_option("communication")
    await say(page, 1, "steps", "- look out\n- tell the others")
    await press(page, "Add a point")
    await say(page, 2, "steps", "- twice")
    await press(page, "Create pattern")
    await expect(page.get_by_text("An earlier one has this name.")).to_be_visible()
    await say(page, 2, "limits", '{"watchers": 2, "by_night": true}')
    await press(page, "Create pattern")

    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Tide watch", level=2))
    await expect(card).to_contain_text("Own")
    await expect(card).to_contain_text("tell the others")
    stored = await room.call("GET", "/api/patterns/tide-watch")
    assert stored["pattern_data"] == {
        "steps": ["look out", "tell the others"], "limits": {"watchers": 2, "by_night": True}}
    await card.get_by_role("link", name="Edit Tide watch").click()
    await expect(page.get_by_role("group", name="Point 1").get_by_label("Says")).to_have_value(
        "- look out\n- tell the others")
    await press(page, "Remove point 2")
    await press(page, "Save changes")
    await expect(card).not_to_contain_text("limits")
    assert (await room.call("GET", "/api/patterns/tide-watch"))["pattern_data"] == {
        "steps": ["look out", "tell the others"]}

    await page.get_by_role("link", name="Copy to my own Load balancing").click()
    await press(page, "Create pattern")
    await expect(page.get_by_role("heading", name="Load balancing (copy)", level=2)).to_be_visible()
    copy = await room.call("GET", "/api/patterns/load-balancing-copy")
    original = await room.call("GET", "/api/patterns/load-balancing")
    assert (copy["pattern_data"], copy["scope"]) == (original["pattern_data"], "workspace")
    await card.get_by_role("button", name="Delete Tide watch").click()
    await press(page, "Delete pattern")
    await expect(card).to_have_count(0)


async def test_those_of_the_product_can_only_be_copied(room: Room) -> None:
    page = await room.open(TAB)
    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Load balancing", level=2))

    await expect(card).to_contain_text("Built in")
    await expect(card.get_by_role("link")).to_have_text(["Copy to my own Load balancing"])
    await expect(card.get_by_role("button")).to_have_count(0)


async def test_the_list_is_read_again_when_somebody_else_changes_it(room: Room) -> None:
    body = {"name": "Tide watch", "pattern_type": "decision", "description": "Before."}
    await room.call("POST", "/api/patterns", body)
    page = await room.open(TAB)
    await expect(page.get_by_text("Before.")).to_be_visible()

    await room.call("PUT", "/api/patterns/tide-watch", {"description": "Afterwards."})

    await expect(page.get_by_text("Afterwards.")).to_be_visible()
    await room.call("DELETE", "/api/patterns/tide-watch")
    await expect(page.get_by_text("Afterwards.")).to_have_count(0)


@pytest.mark.capability("S062")
async def test_a_step_names_a_pattern_and_its_agent_reads_the_words(room: Room) -> None:
    agent = await room.agent("Rower")
    step = {"step_id": "row", "order": 1, "agent_id": agent["id"], "prompt_template": "Row.", "output_key": "rowed"}
    await room.call("POST", "/api/workflow-recipes", {"template_id": "boat", "name": "Boat", "steps": [step]})
    page = await room.open("/recipes/boat")
    chosen = page.get_by_role("group", name="Step 1").get_by_label("Pattern")
    await page.get_by_text("Pattern and limits of this step").click()
    await expect(chosen).to_have_value("")

    await chosen.select_option("Load balancing")
    await press(page, "Save changes")

    await expect(page.get_by_text("Saved as version 2.")).to_be_visible()
    await page.reload()
    await expect(chosen).to_have_value("load-balancing")
    started = await room.call("POST", "/api/workflow-recipes/boat/execute", {"input_data": {}})
    await call_until_over(room.context, room.server, started["recipe_execution_id"], workspace=room.id)
    run = await room.call("GET", f"/api/runs/{started['recipe_execution_id']}")
    words = (await room.call("GET", "/api/patterns/load-balancing"))["prompt"]
    assert run["steps"][0]["prompt"] == f"Row.\n\n{words}"


async def test_a_pattern_that_is_gone_is_told_at_the_step_that_names_it(room: Room) -> None:
    agent = await room.agent("Rower")
    await room.call("POST", "/api/patterns", {"name": "Tide watch", "pattern_type": "decision"})
    step = {"step_id": "row", "order": 1, "agent_id": agent["id"], "prompt_template": "Row.", "output_key": "rowed",
            "pattern_slug": "tide-watch"}
    await room.call("POST", "/api/workflow-recipes", {"template_id": "boat", "name": "Boat", "steps": [step]})
    await room.call("DELETE", "/api/patterns/tide-watch")

    page = await room.open("/recipes/boat")

    first = page.get_by_role("group", name="Step 1")
    await expect(first.get_by_label("Pattern")).to_have_value("tide-watch")
    await expect(first).to_contain_text("this workspace has no pattern 'tide-watch'")
