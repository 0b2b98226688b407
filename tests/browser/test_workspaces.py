"""Two workspaces in one browser: what is kept for one never shows in the other, and what was changed is read again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.browser.conftest import WIDE, Site, call, watched


@dataclass
class Two:
    """A page in the site's workspace, which has recipes and agents, and another workspace, which has none."""

    page: Page
    other: str
    gate: asyncio.Event
    """While it is clear, the other workspace's lists are on their way."""

    async def switch_to(self, name: str) -> None:
        await self.page.get_by_role("button", name="Workspace ").click()
        await self.page.get_by_role("menuitemradio", name=name, exact=True).click()

    async def visit(self, name: str) -> None:
        """Go to a page as people do, by its link, so that the browser keeps what it has read."""
        await self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
        await expect(self.page.get_by_role("heading", name=name, exact=True)).to_be_visible()


@pytest.fixture
async def two(chromium: Browser, site: Site) -> AsyncIterator[Two]:
    async with watched(chromium, site.server, viewport=WIDE, storage_state=site.cookies) as context:
        made = await call(context, site.server, "POST", "/api/workspaces", {"name": "Empty kitchen"})
        gate = asyncio.Event()

        async def wait_at_gate(route: Route) -> None:
            if route.request.headers.get("x-workspace-id") == made["id"]:
                await gate.wait()
            await route.continue_()

        for lists in ("**/api/agents?*", "**/api/workflow-recipes?*"):
            await context.route(lists, wait_at_gate)
        # Without the live stream nothing but the change itself makes a list be read again.
        await context.route("**/api/events?*", lambda route: route.abort())
        page = await context.new_page()
        yield Two(page, made["name"], gate)
        gate.set()
        await context.unroute_all(behavior="wait")


@pytest.mark.capability("S191")
async def test_switching_shows_nothing_of_the_other_workspace_and_a_change_renews_the_list(
    two: Two, site: Site
) -> None:
    page = two.page
    home = (await call(page.context, site.server, "GET", "/api/auth/me"))["workspaces"]
    name = next(each["name"] for each in home if each["slug"] == site.workspace)
    listed = page.get_by_role("main").get_by_role("listitem")
    await page.goto(site.address("/agents"))
    await expect(listed.filter(has_text="Evidence Gatherer")).to_be_visible()
    await two.visit("Recipes")
    await expect(listed.filter(has_text="Research digest")).to_be_visible()

    await two.switch_to(two.other)
    await expect(page).not_to_have_url(site.address("/recipes"))
    await expect(page.get_by_role("main")).not_to_contain_text("Research digest")
    await two.visit("Agents")
    await expect(page.get_by_role("main")).not_to_contain_text("Evidence Gatherer")
    two.gate.set()
    await expect(page.get_by_text("No agents yet")).to_be_visible()

    await page.get_by_role("link", name="New agent").click()
    await page.get_by_role("textbox", name="Name", exact=True).fill("Only here")
    await page.get_by_role("combobox", name="Category").select_option("Custom")
    for _ in range(4):
        await page.get_by_role("button", name="Next").click()
    await page.get_by_role("button", name="Create agent").click()
    await expect(page.get_by_role("heading", name="Only here", level=1)).to_be_visible()
    await two.visit("Agents")
    await expect(listed).to_contain_text(["Only here"])
    await listed.get_by_role("checkbox", name="Select Only here").check()
    await page.get_by_role("region", name="Selected agents").get_by_role("button", name="Stop").click()
    await expect(listed).to_contain_text(["Inactive"])

    await two.switch_to(name)
    await two.visit("Agents")
    await expect(listed.filter(has_text="Evidence Gatherer")).to_be_visible()
    await expect(page.get_by_role("main")).not_to_contain_text("Only here")
