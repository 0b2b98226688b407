"""Every page in both themes and on a phone: usable with assistive technology, nothing cut off, no request elsewhere."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, expect

from tests.browser.conftest import PHONE, WIDE, Site, watched

PAGES = {
    "recipes": "/recipes", "recipe": "/recipes/research-digest", "new-recipe": "/recipes/new",
    "cook": "/recipes?cook=research-digest", "agents": "/agents", "agent": "/agents/1", "new-agent": "/agents/new",
    "runs": "/runs", "run": "/runs/{run}", "models": "/settings", "credentials": "/settings/credentials",
    "members": "/settings/members", "keys": "/settings/keys", "audit": "/settings/audit", "nothing": "/no-such-page",
}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": WIDE, "color_scheme": "light"},
    "dark": {"viewport": WIDE, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "color_scheme": "light"},
}


@pytest.mark.parametrize("look", LOOKS)
async def test_every_page_is_accessible_and_fits_the_screen(chromium: Browser, site: Site, look: str) -> None:
    faults: list[str] = []
    async with watched(chromium, site.server, storage_state=site.cookies, **LOOKS[look]) as context:
        page = await context.new_page()
        for name, path in PAGES.items():
            await page.goto(site.address(path.format(run=site.run_id)))
            await expect(page.get_by_role("heading").first).to_be_visible()
            await page.wait_for_timeout(300)  # lists arrive; a live page is never idle on the network
            found = (await Axe().run(page)).response["violations"]
            faults += [f"{name}: {each['id']} {each['nodes'][0]['html'][:120]}" for each in found]
            extra = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            faults += [f"{name}: {extra} px wider than the screen"] if extra > 0 else []

    assert faults == []


async def test_the_palette_goes_anywhere_by_keyboard(browsing: BrowserContext, site: Site) -> None:
    page = await browsing.new_page()
    await page.goto(site.address("/runs"))
    await expect(page.get_by_role("heading", name="Runs")).to_be_visible()

    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog")).to_contain_text("Cook Research digest")
    await page.keyboard.type("new agent")
    await page.keyboard.press("Enter")

    await expect(page).to_have_url(site.address("/agents/new"))


async def test_the_chosen_theme_survives_a_reload(browsing: BrowserContext, site: Site) -> None:
    page = await browsing.new_page()
    await page.goto(site.address("/runs"))
    await page.get_by_role("button", name="Account of").click()
    await page.get_by_role("menuitemradio", name="Dark").click()

    await page.reload()

    await expect(page.locator("html")).to_have_class("dark")


async def test_creates_an_agent_that_is_ready_to_work(browsing: BrowserContext, site: Site) -> None:
    page = await browsing.new_page()
    await page.goto(site.address("/agents/new"))
    await page.get_by_label("Name").fill("Browser made")
    await page.get_by_label("Category").select_option("Custom")
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("radio", name="Its own words").click()
    await page.get_by_label("Who it is").fill("You count words.")
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("button", name="Next").click()
    await page.get_by_label("text_stats").check()
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("button", name="Create agent").click()
    await expect(page.get_by_role("heading", name="Browser made")).to_be_visible()
    await page.goto(site.address("/agents"))

    card = page.get_by_role("list", name="Agents").get_by_role("listitem").filter(has_text="Browser made")
    await expect(card).to_contain_text("Active")
