"""Changing an agent's status: every effect named before it happens, by mouse and by keyboard alike."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import OWNER, Room, call, call_until_over, close_by_escape, new_room
from tests.chaos.harness import stage
from tests.chaos.processes import Server
from tests.fakes.model_server import ModelServer, Reply

MOST_TABS = 40
FAILURES_TO_ERROR = 5
BREAKS = "Break down"
KEY_MS = 60
"""As long as a finger rests on a key; a radio group follows arrow keys that are still down."""


@dataclass
class Floor:
    """A server whose model answers only when the test lets it."""

    server: Server
    model: ModelServer
    cookies: Any


@pytest.fixture(scope="module")
async def floor(chromium: Browser) -> AsyncIterator[Floor]:
    async with ModelServer() as model, stage() as opened:
        server = await opened.start_server(variables={
            "OPENAI_API_KEY": "sk-scripted", "OPENAI_BASE_URL": model.base_url,
            "DEFAULT_LLM_PROVIDER": "openai", "DEFAULT_LLM_MODEL": "fake-model", "AUTOMATOS_AGENT_IDLE_AFTER_S": "1",
        })
        context = await chromium.new_context()
        await call(context, server, "POST", "/api/setup", OWNER)
        yield Floor(server, model, await context.storage_state())
        await context.close()


@dataclass
class Busy:
    """An agent that does one thing at a time and is held in the middle of it."""

    room: Room
    agent: dict[str, Any]
    gate: asyncio.Event
    model: ModelServer

    @property
    def path(self) -> str:
        return f"/api/agents/{self.agent['id']}"

    async def give(self, prompt: str) -> None:
        await self.room.call("POST", f"{self.path}/execute", {"prompt": prompt})

    async def open_sheet(self) -> tuple[Page, Locator]:
        page = await self.room.open(f"/agents/{self.agent['id']}/status")
        sheet = page.get_by_role("dialog", name=f"Status of {self.agent['name']}")
        await expect(sheet.get_by_role("radiogroup", name="New status")).to_be_visible()
        return page, sheet


@pytest.fixture
async def busy(chromium: Browser, floor: Floor) -> AsyncIterator[Busy]:
    floor.model.reset()
    gate = asyncio.Event()
    floor.model.script(Reply(text="Done.", gate=gate), repeat=True,
                       match=lambda call: BREAKS not in call.last_user_text)
    async with new_room(chromium, floor.server, floor.cookies) as room:
        agent = await room.agent("Steady hand", configuration={"max_concurrent_tasks": 1})
        held = Busy(room, agent, gate, floor.model)
        await held.give("Hold this")
        await floor.model.wait_for_calls(1, 10)
        yield held
        gate.set()


async def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the focus is where it is wanted, as somebody without a mouse does."""
    for _ in range(MOST_TABS):
        if await wanted.evaluate("element => element === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab never reaches {wanted}")


@pytest.mark.capability("S189")
@pytest.mark.capability("S105")
async def test_a_stop_names_its_effects_takes_every_confirmation_and_is_followed_to_its_end(busy: Busy) -> None:
    page, sheet = await busy.open_sheet()
    await sheet.get_by_role("radio", name="Inactive").click()
    await expect(sheet.get_by_role("radio", name="Graceful")).to_be_checked()
    await expect(sheet).to_contain_text("1 run needs it")
    await expect(sheet.get_by_role("list")).to_contain_text(["will be awaited"])
    confirm = sheet.get_by_role("button", name="Deactivate")
    ticks = sheet.get_by_role("checkbox")
    assert await ticks.count() >= 2
    for tick in await ticks.all():
        await expect(confirm).to_be_disabled()
        await tick.check()
    await expect(confirm).to_be_enabled()

    await sheet.get_by_role("radio", name="Paused").click()
    await expect(sheet.get_by_role("radiogroup", name="How to stop")).to_be_hidden()
    await sheet.get_by_role("radio", name="Inactive").click()
    await expect(ticks.first).to_be_visible()
    for tick in await ticks.all():
        await expect(tick).not_to_be_checked()
        await tick.check()
    await confirm.click()

    await expect(sheet.get_by_role("status")).to_contain_text("Stopping gracefully")
    assert (await busy.room.call("GET", f"{busy.path}/status"))["stopping"]["awaiting_count"] == 1
    busy.gate.set()
    await expect(sheet.get_by_role("status")).to_contain_text("Steady hand is inactive now.")
    await sheet.get_by_role("button", name="Close").first.click()
    await expect(page.get_by_role("button", name="Status: Inactive")).to_be_visible()


@pytest.mark.capability("S189")
async def test_the_whole_change_is_made_by_keyboard_alone(busy: Busy) -> None:
    page = await busy.room.open(f"/agents/{busy.agent['id']}")
    badge = page.get_by_role("button", name="Status: ")
    sheet = page.get_by_role("dialog", name="Status of Steady hand")
    await expect(badge).to_contain_text("Active")
    await tab_to(page, badge)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menu")).to_be_visible()
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    await close_by_escape(page, sheet)

    await tab_to(page, badge)
    await page.keyboard.press("Enter")
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    inactive = sheet.get_by_role("radio", name="Inactive")
    await expect(inactive).to_be_visible()
    choices = sheet.get_by_role("radiogroup", name="New status").get_by_role("radio")
    await tab_to(page, choices.first)
    await page.keyboard.press("Space")
    for _ in range(await choices.count()):
        if await inactive.is_checked():
            break
        await page.keyboard.press("ArrowDown", delay=KEY_MS)
    await tab_to(page, sheet.get_by_role("radio", name="Graceful"))
    await page.keyboard.press("ArrowDown", delay=KEY_MS)
    await expect(sheet.get_by_role("radio", name="Immediate")).to_be_checked()
    await expect(sheet.get_by_role("list")).to_contain_text(["will be interrupted"])
    for tick in await sheet.get_by_role("checkbox").all():
        await tab_to(page, tick)
        await page.keyboard.press("Space")
        await expect(tick).to_be_checked()
    await tab_to(page, sheet.get_by_role("button", name="Deactivate"))
    await page.keyboard.press("Enter")

    await expect(sheet.get_by_role("status")).to_contain_text("is inactive now.")
    await expect(sheet).to_contain_text("1 run was interrupted.")
    await close_by_escape(page, sheet)
    await expect(badge).to_contain_text("Inactive")


@pytest.mark.capability("S105")
async def test_effects_that_changed_meanwhile_are_shown_and_confirmed_again(busy: Busy) -> None:
    _, sheet = await busy.open_sheet()
    await sheet.get_by_role("radio", name="Inactive").click()
    await sheet.get_by_role("radio", name="Immediate").click()
    ticks, confirm = sheet.get_by_role("checkbox"), sheet.get_by_role("button", name="Deactivate")
    await expect(sheet.get_by_role("list")).to_contain_text(["will be interrupted"])
    before = await ticks.count()
    for tick in await ticks.all():
        await tick.check()
    await busy.give("Wait behind it")

    await confirm.click()

    await expect(sheet.get_by_role("status")).to_contain_text("Something changed meanwhile")
    await expect(sheet).to_contain_text("1 task queued")
    assert await ticks.count() > before
    await expect(confirm).to_be_disabled()
    assert (await busy.room.call("GET", busy.path))["status"] == "active"
    for tick in await ticks.all():
        await expect(tick).not_to_be_checked()
        await tick.check()
    await confirm.click()
    await expect(sheet).to_contain_text("1 queued task was cancelled.")


@pytest.mark.capability("S106")
@pytest.mark.capability("S189")
async def test_every_status_has_its_badge_and_a_change_without_effects_takes_one_click(busy: Busy) -> None:
    room = busy.room
    busy.model.script(Reply(status=401), match=BREAKS, repeat=True)
    for status in ("inactive", "idle", "paused", "maintenance", "training"):
        made = await room.agent(status.title(), activate=status in ("idle", "paused"))
        if status not in ("inactive", "idle"):
            await room.call("PUT", f"/api/agents/{made['id']}/status", {"status": status})
    broken = await room.agent("Error")
    for _ in range(FAILURES_TO_ERROR):
        told = await room.call("POST", f"/api/agents/{broken['id']}/execute", {"prompt": BREAKS})
        await call_until_over(room.context, room.server, told["execution_id"], workspace=room.id)
    page = await room.open("/agents?view=table")
    looks: set[str] = set()
    for name in ("Steady hand", "Inactive", "Idle", "Paused", "Maintenance", "Training", "Error"):
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))
        badge = row.get_by_role("cell").nth(2).locator("span").first
        await expect(badge).to_have_text("Active" if name == "Steady hand" else name)
        looks.add(await badge.evaluate("badge => getComputedStyle(badge).color + badge.querySelector('svg').innerHTML"))
    assert len(looks) == 7

    await page.get_by_role("link", name="Idle", exact=True).click()
    await page.get_by_role("button", name="Status: Idle").click()
    await page.get_by_role("menuitem", name="Deactivate").click()
    await expect(page.get_by_role("button", name="Status: Inactive")).to_be_visible()
    await expect(page.get_by_role("dialog")).to_be_hidden()
