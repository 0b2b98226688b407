"""Whatever things are called and however many there are: every page fits the screen and shows them."""

import pytest
from axe_playwright_python.async_playwright import Axe
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
    await call_until_over(room.context, room.server, task["execution_id"], workspace=room.id)
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
    await expect(page.get_by_role("option")).to_have_count(51)
    await page.get_by_placeholder("Search agents").fill("colleague 59")
    await page.get_by_role("option", name="Colleague 59").click()
    await expect(page.get_by_role("combobox", name="Agent")).to_contain_text("Colleague 59")

    await page.goto(room.address("/runs"))
    await expect(page.get_by_role("heading", name="Runs")).to_be_visible()
    await page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog")
    await expect(palette.get_by_role("group", name="Agents").get_by_role("option")).to_have_count(8)
    await page.keyboard.type("colleague 57")
    await expect(palette.get_by_role("option", name="Colleague 57")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Colleague 57", level=1)).to_be_visible()


async def test_a_steps_agent_is_one_of_all_1200_found_by_the_server_and_chosen_by_keyboard(room: Room) -> None:
    names = [f"Colleague {number:04}" for number in range(1, 1201)]
    for start in range(0, len(names), 100):
        body = {"agents": [{"name": name, "agent_type": "custom"} for name in names[start:start + 100]]}
        await room.call("POST", "/api/agents/bulk", body)
    page = await room.open("/recipes/new")
    field = page.get_by_role("combobox", name="Agent")
    options = page.get_by_role("listbox").get_by_role("option")
    await field.focus()
    await page.keyboard.press("Enter")
    search = page.get_by_placeholder("Search agents")
    await expect(search).to_be_focused()
    await expect(options).to_have_count(51)
    await expect(options.first).to_contain_text("Colleague 0001")
    await expect(options.last).to_have_text("Show more, 1,150 are left")
    assert (await Axe().run(page)).response["violations"] == []

    await page.keyboard.press("ArrowUp")  # from the first it goes round to the last
    await expect(options.last).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    await expect(options).to_have_count(101)
    await expect(options.last).to_have_text("Show more, 1,100 are left")
    await page.keyboard.type("colleague 1198")
    await expect(options).to_have_count(1)
    await expect(search).to_have_attribute("aria-activedescendant", await options.first.get_attribute("id") or "")
    await page.keyboard.press("Enter")

    await expect(field).to_be_focused()
    await expect(field).to_have_accessible_name("Agent Colleague 1198")
    await expect(page.get_by_text("Not active: activate it before cooking.")).to_be_visible()
    await page.keyboard.press("Enter")
    await page.keyboard.type("nobody of this name")
    await expect(page.get_by_text("Nothing in the list has that name.")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(field).to_be_focused()
    await expect(field).to_contain_text("Colleague 1198")
