"""Whatever things are called and however many there are: every page fits the screen and shows them."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import PHONE, WIDE, Room, call_until_over

LONG = "W" * 200
HEBREW = "\u05e1\u05d5\u05db\u05df \u05d4\u05de\u05d7\u05e7\u05e8"


@pytest.mark.parametrize("name", [LONG, HEBREW], ids=["long", "hebrew"])
async def test_pages_fit_the_screen_whatever_things_are_called(room: Room, name: str) -> None:
    agent = await room.agent(name, description=name, tags=[name[:40]])
    step = {"step_id": "only", "agent_id": agent["id"], "prompt_template": name, "output_key": "out", "order": 1}
    await room.call("POST", "/api/workflow-recipes", {
        "template_id": "named", "name": name, "description": name, "steps": [step]})
    persona = await room.call("POST", f"/api/workspaces/{room.id}/personas", {
        "name": name, "category": "Support", "description": name, "system_prompt": name})
    task = await room.call("POST", f"/api/agents/{agent['id']}/execute", {"prompt": name})
    await call_until_over(room.context, room.server, task["execution_id"])
    own = f"/agents/{agent['id']}"
    paths = ["/agents", "/agents?view=table", own, f"{own}?tab=usage", f"{own}?tab=runs", f"{own}?tab=prompt",
             f"{own}/settings/general", f"{own}/settings/model", f"{own}/status?target=paused", "/recipes",
             "/recipes/named", "/recipes?cook=named", "/runs", f"/runs/{task['execution_id']}", "/personas",
             f"/personas?view={persona['id']}"]
    faults: list[str] = []
    page = await room.open("/runs")
    for path in paths:
        await page.set_viewport_size(WIDE)
        await page.goto(room.address(path))
        # In the page, a dialog, or a field that holds it.
        shown = page.get_by_text(name[:20]).or_(page.get_by_role("heading")).first
        await expect(shown).to_be_visible()
        await expect(page.get_by_text("Loading")).to_have_count(0)
        for size in (WIDE, PHONE):
            await page.set_viewport_size(size)
            extra = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            faults += [f"{path} at {size['width']}: {extra} px too wide"] if extra > 0 else []
    assert faults == []


async def test_names_are_read_in_their_own_direction(room: Room) -> None:
    agent = await room.agent(HEBREW)
    page = await room.open(f"/agents/{agent['id']}")
    await expect(page.get_by_role("heading", name=HEBREW)).to_have_css("direction", "rtl")
    await page.goto(room.address("/agents"))
    await expect(page.get_by_role("link", name=HEBREW)).to_have_css("direction", "rtl")


async def test_recipes_beyond_the_first_page_are_counted_found_and_reached(room: Room) -> None:
    agent = await room.agent("Worker")
    step = {"step_id": "only", "agent_id": agent["id"], "prompt_template": "Go", "output_key": "out", "order": 1}
    for number in range(43):
        await room.call("POST", "/api/workflow-recipes", {
            "template_id": f"r{number}", "name": f"Recipe number {number}", "steps": [step]})
    page = await room.open("/recipes")
    await expect(page.get_by_text("30 of 43 recipes")).to_be_visible()

    await page.get_by_role("button", name="Load more").click()
    await expect(page.get_by_text("43 of 43 recipes")).to_be_visible()
    await expect(page.get_by_role("button", name="Load more")).to_have_count(0)

    await page.get_by_label("Search recipes").fill("number 42")
    await expect(page.get_by_role("heading", name="Recipe number 42")).to_be_visible()
    await expect(page.get_by_role("heading", level=2)).to_have_count(1)


async def test_the_palette_and_a_steps_agent_find_one_among_many_without_drawing_all(room: Room) -> None:
    for number in range(60):
        await room.agent(f"Colleague {number}")
    page = await room.open("/recipes/new")
    await page.get_by_role("combobox", name="Agent").click()
    await expect(page.get_by_role("option")).to_have_count(50)
    await page.get_by_placeholder("Search agents").fill("colleague 59")
    await page.get_by_role("option", name="Colleague 59").click()
    await expect(page.get_by_role("combobox", name="Agent")).to_contain_text("Colleague 59")

    await page.goto(room.address("/runs"))
    await expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    await page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog")
    await expect(palette.get_by_role("group", name="Agents").get_by_role("option")).to_have_count(8)
    await page.keyboard.type("colleague 57")
    await expect(palette.get_by_role("option", name="Colleague 57")).to_be_visible()
