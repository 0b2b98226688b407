"""The roster: found, filtered, acted upon in bulk, always up to date, and quick with a thousand agents."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from playwright.async_api import Page, expect

from tests.browser.conftest import SAMPLE, Room, close_by_escape

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
MANY = 1000
MOST_DRAWN = 60
SCROLL = """async (step) => {
  const frame = () => new Promise(requestAnimationFrame);
  const drawn = () => document.querySelectorAll('[aria-label=Agents] > li, table[aria-label=Agents] tr[data-index]');
  const gaps = [];
  let most = 0, last = 0, quiet = 0, before = performance.now();
  while (quiet < 40) {
    scrollBy(0, step);
    await frame();
    const now = performance.now();
    gaps.push(now - before);
    before = now;
    most = Math.max(most, drawn().length);
    quiet = scrollY === last ? quiet + 1 : 0;
    if (quiet) await new Promise((later) => setTimeout(later, 25));
    last = scrollY;
  }
  gaps.sort((one, other) => one - other);
  return {most, frames: gaps.length, p95: gaps[Math.floor(gaps.length * 0.95)]};
}"""


def cards(page: Page):
    return page.get_by_role("list", name="Agents").get_by_role("listitem")


@pytest.mark.capability("S187")
@pytest.mark.capability("S107")
async def test_finds_agents_by_words_and_status_and_shows_them_as_cards_or_as_a_table(room: Room) -> None:
    await room.agent("Alpha reader", tags=["night"])
    await room.agent("Beta reader", activate=False)
    await room.agent("Gamma writer", activate=False, description="Writes what readers asked for")
    page = await room.open("/agents")
    await expect(cards(page)).to_have_count(3)
    statuses = page.get_by_role("radiogroup", name="Status")

    await page.get_by_role("searchbox", name="Search agents").fill("writer")
    await expect(cards(page)).to_contain_text(["Gamma writer"])
    await expect(cards(page)).to_have_count(1)
    await page.get_by_role("searchbox", name="Search agents").fill("")
    await statuses.get_by_role("radio", name="Active").click()
    await expect(cards(page)).to_have_count(1)
    await expect(cards(page)).to_contain_text(["Alpha reader"])
    await statuses.get_by_role("radio", name="Idle").click()
    await expect(page.get_by_text("No agent matches")).to_be_visible()
    await page.go_back()
    await page.goto(room.address("/agents?status=inactive"))
    await expect(cards(page)).to_have_count(2)
    await statuses.get_by_role("radio", name="All").click()

    await page.get_by_role("radio", name="Table").click()
    table = page.get_by_role("table", name="Agents")
    await expect(table.get_by_role("row")).to_have_count(4)
    await table.get_by_role("button", name="Name").click()
    await expect(table.get_by_role("row").nth(1)).to_contain_text("Gamma writer")
    await page.reload()
    await expect(table.get_by_role("row").nth(1)).to_contain_text("Gamma writer")


@pytest.mark.capability("S187")
async def test_an_action_on_several_names_those_it_could_not_be_done_to(room: Room) -> None:
    await room.call("POST", "/api/workflow-recipes/apply", yaml.safe_load(SAMPLE.read_text()))
    busy = (await room.call("GET", "/api/agents"))["items"][0]
    needed = busy["name"]
    await room.call("POST", f"/api/agents/{busy['id']}/pause")
    await room.call("POST", f"/api/agents/{busy['id']}/execute", {"prompt": "Wait for me"})
    await room.agent("Free to go")
    page = await room.open("/agents")

    for name in (needed, "Free to go"):
        await page.get_by_role("checkbox", name=f"Select {name}").check()
    bar = page.get_by_role("region", name="Selected agents")
    await expect(bar).to_contain_text("2 agents selected")
    await bar.get_by_role("button", name="Stop").click()

    report = page.get_by_role("dialog", name="1 agent not stopped")
    await expect(report).to_contain_text(needed)
    await expect(report).not_to_contain_text("Free to go")
    await expect(report).to_contain_text("1 agent stopped.")
    await report.get_by_role("button", name="Look at the effects").click()
    sheet = page.get_by_role("dialog", name=f"Status of {needed}")
    await expect(sheet.get_by_role("radiogroup", name="New status")).to_be_visible()
    await close_by_escape(page, sheet)
    await expect(page.get_by_role("checkbox", name=f"Select {needed}")).to_be_checked()
    await expect(page.get_by_role("checkbox", name="Select Free to go")).not_to_be_checked()


TURN = """() => new Promise(done => {
  const way = new MessageChannel();
  way.port1.onmessage = done;
  way.port2.postMessage(0);
})"""
"""Lets a page do what waits to be done, past its clock, which stands still."""


@pytest.mark.capability("S190")
async def test_what_is_not_told_live_is_asked_for_every_ten_and_every_thirty_seconds(room: Room) -> None:
    agent = await room.agent("Ada")
    page = await room.context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    await page.route("**/api/events**", lambda route: route.abort())
    await page.clock.install(time=NOON)
    one = f"/agents/{agent['id']}"
    for hour, (place, path, interval_ms) in enumerate(
        ((one, f"/api{one}", 10_000), ("/agents", "/api/agents/stats", 30_000)), 1
    ):
        await page.goto(room.address(place))
        await expect(page.get_by_text("Ada").first).to_be_visible()
        await page.clock.pause_at(NOON + timedelta(hours=hour))
        await page.wait_for_load_state("networkidle")
        asked.clear()

        for _ in range(3):
            async with page.expect_response(lambda answer, path=path: urlsplit(answer.url).path == path) as told:
                await page.clock.run_for(interval_ms)
            await (await told.value).finished()
            await page.evaluate(TURN)  # what asks again while it still reads the last answer asks nothing
        assert asked.count(path) == 3
        await page.clock.resume()


@pytest.mark.capability("S190")
@pytest.mark.capability("S191")
async def test_what_another_client_changes_is_seen_at_once_and_without_a_reload(room: Room) -> None:
    agent = await room.agent("Before")
    page = await room.open("/agents")
    await expect(cards(page)).to_contain_text(["Before"])

    await room.call("PUT", f"/api/agents/{agent['id']}", {"name": "After"})
    await room.call("POST", f"/api/agents/{agent['id']}/pause")
    await room.agent("Newcomer")

    await expect(cards(page)).to_contain_text(["After", "Newcomer"])
    await expect(cards(page).first).to_contain_text("Paused")
    await expect(page.get_by_role("region", name="All agents at a glance")).to_contain_text("Agents2")


@pytest.mark.capability("S187")
async def test_a_thousand_agents_are_shown_and_never_all_drawn_at_once(
    room: Room, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for first in range(0, MANY, 100):
        several = [{"name": f"Agent {number:04}", "activate": number % 2 == 0} for number in range(first, first + 100)]
        await room.call("POST", "/api/agents/bulk", {"agents": several})
    said = []
    for view in ("cards", "table"):
        began = time.monotonic()
        page = await room.open(f"/agents?view={view}")
        await expect(page.get_by_role("link", name="Agent 0000")).to_be_visible()
        shown_s = time.monotonic() - began

        found = await page.evaluate(SCROLL, 400)

        await expect(page.get_by_role("link", name=f"Agent {MANY - 1:04}")).to_be_visible()
        assert 0 < found["most"] <= MOST_DRAWN
        said.append(f"{view}: first after {shown_s:.2f} s, {found['most']} drawn at most, "
                    f"frame p95 {found['p95']:.1f} ms of {found['frames']}")
        await page.screenshot(path=tmp_path / f"{view}.png")
        await page.close()
    with capsys.disabled():
        print("", *said, sep="\n")
