"""Configuring an agent: seven tabs are one form, one look before saving, and nobody's work is overwritten."""

import asyncio

import pytest
from playwright.async_api import Dialog, Page, Request, Route, expect

from tests.browser.conftest import Room

TABS = ["General", "Model", "Persona", "Skills", "Plugins", "Tools", "Heartbeat"]
UNSAVED = "Unsaved changes"


async def open_tab(page: Page, name: str) -> None:
    await page.get_by_role("tab", name=name).click()
    await expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")


@pytest.mark.capability("S032")
@pytest.mark.capability("S188")
async def test_edits_on_every_tab_are_one_change_that_is_shown_first_and_saved_at_once(room: Room) -> None:
    agent = await room.agent("Configured")
    page = await room.open(f"/agents/{agent['id']}/settings")
    await expect(page.get_by_role("tab")).to_have_text(TABS)
    saves: list[str] = []

    def note(request: Request) -> None:
        if request.method not in ("GET", "HEAD"):
            saves.append(f"{request.method} {request.url.removeprefix(room.server.url)}")

    page.on("request", note)
    await page.get_by_label("Retries").fill("0")
    await page.get_by_role("switch", name="Performance monitoring").click()
    await open_tab(page, "Persona")
    await page.get_by_role("radio", name="Its own words").click()
    await page.get_by_role("textbox", name="Who it is").fill("You are brief.")
    await open_tab(page, "Tools")
    await page.get_by_role("checkbox", name="text_stats").check()
    await open_tab(page, "Heartbeat")
    await page.get_by_role("spinbutton", name="Every").fill("45")
    assert saves == []
    for changed in ("General", "Persona", "Tools", "Heartbeat"):
        await expect(page.get_by_role("tab", name=changed)).to_contain_text("changed")
    await expect(page.get_by_role("tab", name="Model")).not_to_contain_text("changed")

    await page.get_by_role("button", name="Review and save").click()
    dialog = page.get_by_role("dialog", name="Save Configured?")
    for told in ("Retries", "Performance monitoring", "You are brief.", "text_stats", "45"):
        await expect(dialog).to_contain_text(told)
    await dialog.get_by_role("button", name="Save", exact=True).click()

    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("region", name=UNSAVED)).to_be_hidden()
    own = [f"PUT /api/agents/{agent['id']}", f"PUT /api/heartbeat/agents/{agent['id']}/config"]
    assert saves == own
    await page.goto(room.address(f"/agents/{agent['id']}/settings"))
    await expect(page.get_by_label("Retries")).to_have_value("0")
    await expect(page.get_by_role("switch", name="Performance monitoring")).not_to_be_checked()
    stored = await room.call("GET", f"/api/agents/{agent['id']}")
    assert stored["configuration"]["retry_attempts"] == 0
    assert stored["configuration"]["performance_monitoring"] is False
    assert (await room.call("GET", f"/api/heartbeat/agents/{agent['id']}/config"))["interval_minutes"] == 45


@pytest.mark.capability("S188")
async def test_leaving_asks_while_something_is_unsaved_and_never_between_tabs(room: Room) -> None:
    agent = await room.agent("Left alone")
    page = await room.open(f"/agents/{agent['id']}/settings")
    asked: list[str] = []

    async def answer(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await (dialog.dismiss() if len(asked) == 1 else dialog.accept())

    page.on("dialog", answer)
    await page.get_by_role("textbox", name="Description").fill("Half a thought")
    await open_tab(page, "Tools")
    await open_tab(page, "General")
    assert asked == []

    await page.get_by_role("link", name="Its profile").click()
    await expect(page.get_by_role("textbox", name="Description")).to_have_value("Half a thought")
    await page.get_by_role("link", name="Its profile").click()

    await expect(page.get_by_role("heading", name="Left alone", level=1)).to_be_visible()
    assert len(asked) == 2


async def hold_saves(page: Page) -> None:
    """Make every save take a second, as a far server would."""
    async def later(route: Route) -> None:
        if route.request.method == "PUT":
            await asyncio.sleep(1)
        await route.continue_()

    await page.route("**/api/agents/*", later)


@pytest.mark.capability("S188")
async def test_somebody_elses_save_is_shown_field_by_field_and_either_side_can_be_kept(room: Room) -> None:
    agent = await room.agent("Shared", description="As it was")
    path = f"/api/agents/{agent['id']}"
    page = await room.open(f"/agents/{agent['id']}/settings")
    await page.get_by_role("textbox", name="Description").fill("Mine")
    await page.get_by_label("Retries").fill("1")
    await room.call("PUT", path, {
        "description": "Theirs", "configuration": {"retry_attempts": 5, "max_concurrent_tasks": 2}})

    await page.get_by_role("button", name="Review and save").click()
    await page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()

    dialog = page.get_by_role("dialog", name="Somebody else saved this agent first")
    for side in ("Mine", "Theirs", "Tasks at the same time"):
        await expect(dialog).to_contain_text(side)
    theirs = dialog.get_by_role("radiogroup", name="Description").get_by_role("radio", name="Take stored")
    mine = dialog.get_by_role("radiogroup", name="Retries").get_by_role("radio", name="Keep yours")
    await theirs.click()
    await mine.click()
    await hold_saves(page)
    await dialog.get_by_role("button", name="Save this choice").click()

    await expect(dialog.get_by_role("button", name="Save this choice")).to_be_disabled()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("textbox", name="Description")).to_have_value("Theirs")
    stored = await room.call("GET", path)
    assert stored["description"] == "Theirs"
    assert stored["configuration"]["retry_attempts"] == 1
    assert stored["configuration"]["max_concurrent_tasks"] == 2
