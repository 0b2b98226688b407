"""Nothing on a page jumps away from under a person's hands while its parts arrive."""

from contextlib import suppress

import pytest
from playwright.async_api import Error, Page, Route, expect

from tests.browser.conftest import Room

BUDGET = 0.02
"""The most by which a page may move, summed as browsers do it: moved share of the window times how far."""
WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifts.push(one.value);
}).observe({ type: "layout-shift", buffered: true });
"""
PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
PAGES = {
    "recipes": "/recipes", "new-recipe": "/recipes/new", "runs": "/runs", "agents": "/agents", "personas": "/personas",
    "skills": "/skills", "sources": "/skills?tab=sources", "models": "/settings/models",
    "credentials": "/settings/credentials", "values": "/settings/general", "members": "/settings/members",
}


async def late(route: Route) -> None:
    """Let the page paint what it shows while it waits before it gets what it asked for."""
    with suppress(Error):  # the page went on to another address
        await route.request.frame.evaluate(PAINTED)
        await route.continue_()


async def shift_of(page: Page) -> float:
    """Return by how much the page has moved since it was opened, once all of it is there."""
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.locator(".animate-pulse")).to_have_count(0)
    await page.evaluate(PAINTED)
    return await page.evaluate("window.shifts.reduce((sum, one) => sum + one, 0)")


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_stays_where_it_is_while_its_parts_arrive(room: Room, name: str) -> None:
    await room.agent("Somebody")
    page = await room.context.new_page()
    await page.add_init_script(WATCH)
    await page.route("**/api/**", late)

    await page.goto(room.address(PAGES[name]))

    assert await shift_of(page) <= BUDGET


async def test_a_page_that_jumps_is_noticed(room: Room) -> None:
    page = await room.context.new_page()
    await page.add_init_script(WATCH)
    await page.goto(room.address("/recipes"))
    before = await shift_of(page)
    await page.evaluate("document.querySelector('main').prepend(Object.assign(document.createElement('div'),"
                        " {style: 'height: 300px'}))")
    await page.evaluate(PAINTED)
    await page.wait_for_function("window.shifts.reduce((sum, one) => sum + one, 0) > 0.1")
    assert before <= BUDGET
