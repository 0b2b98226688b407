"""A run on screen: live, in several tabs, cancelled, and through the loss of the server."""

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import OWNER, WIDE, Site, call, watched
from tests.chaos.harness import stage

END = 60_000
RENDERED = ".markdown"
"""A text as a page: until what draws it has arrived, its letters stand there as they are."""


async def cook(page: Page, site: Site) -> None:
    await page.goto(site.address("/recipes?cook=research-digest"))
    await page.get_by_role("dialog").get_by_role("button", name="Cook").click()
    await page.wait_for_url("**/runs/*")


@pytest.mark.capability("S130")
async def test_the_cook_button_of_a_recipe_starts_it_once_with_the_inputs_given(
    browsing: BrowserContext, site: Site
) -> None:
    page = await browsing.new_page()
    await page.goto(site.address("/recipes"))
    before = (await call(browsing, site.server, "GET", "/api/runs"))["total"]

    await page.get_by_role("button", name="Cook Research digest").click()
    await page.get_by_role("dialog").get_by_role("textbox").first.fill("How tides work")
    await page.get_by_role("dialog").get_by_role("button", name="Cook").dblclick()
    await page.wait_for_url("**/runs/*")

    run = await call(browsing, site.server, "GET", f"/api/runs/{page.url.rpartition('/')[2]}")
    assert (run["recipe_id"], run["triggered_by"]) == ("research-digest", OWNER["email"])
    assert "How tides work" in run["input_data"].values()
    assert (await call(browsing, site.server, "GET", "/api/runs"))["total"] == before + 1
    await expect(page.get_by_role("button", name="Cook again")).to_be_visible(timeout=END)


async def test_streams_text_while_it_works_and_lists_update_by_themselves(browsing: BrowserContext, site: Site) -> None:
    listing = await browsing.new_page()
    await listing.goto(site.address("/runs"))
    rows = listing.get_by_role("table", name="Runs").locator("tbody tr")
    await expect(rows.first).to_be_visible()
    before = await rows.count()
    page = await browsing.new_page()

    await cook(page, site)

    await expect(page.get_by_role("log")).to_contain_text("[demo]")
    await expect(page.get_by_role("button", name="Cancel run")).to_be_visible()
    await expect(page.get_by_role("button", name="Cook again")).to_be_visible(timeout=END)
    await expect(rows).to_have_count(before + 1)
    await expect(rows.first).to_contain_text("Completed")


async def test_ten_tabs_share_one_connection_and_show_the_same(browsing: BrowserContext, site: Site) -> None:
    streams: list[str] = []
    browsing.on("request", lambda request: "/api/events?" in request.url and streams.append(request.url))
    first = await browsing.new_page()
    await cook(first, site)
    others = [await browsing.new_page() for _ in range(9)]
    for tab in others:
        await tab.goto(first.url)

    for tab in (first, *others):
        await expect(tab.get_by_role("button", name="Cook again")).to_be_visible(timeout=END)
        await expect(tab.get_by_role("region", name="Result").locator(RENDERED)).to_be_visible()
    texts = {await tab.get_by_role("main").inner_text() for tab in (first, *others)}

    assert len(texts) == 1
    assert len(streams) <= 4  # opened again when what is followed changes, never once per tab


async def test_cancel_stops_the_run_within_two_seconds(browsing: BrowserContext, site: Site) -> None:
    page = await browsing.new_page()
    await cook(page, site)

    await page.get_by_role("button", name="Cancel run").click()

    await expect(page.get_by_text(f"Cancelled by {OWNER['email']}")).to_be_visible()
    await expect(page.get_by_role("button", name="Cook again")).to_be_visible()


async def test_a_killed_server_is_announced_and_the_text_goes_on_without_gap_or_repeat(
    chromium: Browser, site: Site
) -> None:
    async with stage() as opened:
        slow = {"AUTOMATOS_DEMO_DELAY_MS": "150", "AUTOMATOS_LEASE_S": "3"}
        server = await opened.start_server(variables=slow)
        async with watched(chromium, server, viewport=WIDE) as context:
            page = await context.new_page()
            await page.goto(f"{server.url}/setup")
            await page.get_by_label("Your name").fill(OWNER["name"])
            await page.get_by_label("Email").fill(OWNER["email"])
            await page.get_by_label("Password").fill(OWNER["password"])
            for button in ("Create account", "Use the demo model", "Cook "):
                await page.get_by_role("button", name=button).click()
            await expect(page.get_by_role("log")).to_contain_text("[demo]")

            server.kill()
            lost = page.get_by_role("main").get_by_text("Connection lost, retrying")
            await expect(lost).to_be_visible()
            await opened.start_server(home=server.home, port=server.port, variables=slow)

            await expect(lost).to_be_hidden()
            await expect(page.get_by_text("another took over")).to_be_visible()
            await expect(page.get_by_role("button", name="Cook again")).to_be_visible(timeout=END)
            await expect(page.get_by_role("region", name="Result").locator(RENDERED)).to_be_visible()
            seen_live = await page.get_by_role("main").inner_text()
            await page.reload()
            await expect(page.get_by_role("button", name="Cook again")).to_be_visible()
            await expect(page.get_by_role("heading", name="Inputs")).to_be_visible()
            await expect(page.get_by_role("region", name="Result").locator(RENDERED)).to_be_visible()
            assert await page.get_by_role("main").inner_text() == seen_live


async def test_shows_what_each_step_was_asked_and_how_it_got_there(browsing: BrowserContext, site: Site) -> None:
    page = await browsing.new_page()
    await page.goto(site.address(f"/runs/{site.run_id}?step=1"))

    await page.get_by_text("Prompt", exact=True).click()
    await page.get_by_text("How it got there").click()

    await expect(page.get_by_text("Turn 1")).to_be_visible()
    await expect(page.get_by_role("navigation", name="Steps of this run").get_by_role("button")).to_have_count(3)
