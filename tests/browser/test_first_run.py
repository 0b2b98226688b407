"""A newcomer's way from an empty server to a cooked recipe."""


from playwright.async_api import Browser, expect

from tests.browser.conftest import OWNER, WIDE, Site, watched
from tests.chaos.harness import stage


async def test_leads_from_an_empty_server_to_a_cooked_recipe_in_six_clicks_without_a_key(chromium: Browser) -> None:
    clicks = 0
    async with stage() as opened:
        server = await opened.start_server(variables={"AUTOMATOS_DEMO_DELAY_MS": "5"})
        async with watched(chromium, server, viewport=WIDE) as context:
            page = await context.new_page()
            await page.goto(server.url)
            await page.get_by_label("Your name").fill(OWNER["name"])
            await page.get_by_label("Email").fill(OWNER["email"])
            await page.get_by_label("Password").fill(OWNER["password"])
            for button in ("Create account", "Use the demo model", "Cook "):
                await page.get_by_role("button", name=button).click()
                clicks += 1
            await expect(page.get_by_role("button", name="Cook again")).to_be_visible()
            await expect(page.get_by_text("Completed").first).to_be_visible()

    assert clicks <= 6


async def test_asks_for_the_password_and_returns_to_the_page_that_was_wanted(chromium: Browser, site: Site) -> None:
    async with watched(chromium, site.server, viewport=WIDE) as context:
        page = await context.new_page()
        await page.goto(site.address("/agents?status=active"))
        await page.get_by_label("Email").fill(OWNER["email"])
        await page.get_by_label("Password").fill("not the password")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_be_visible()

        await page.get_by_label("Password").fill(OWNER["password"])
        await page.get_by_role("button", name="Sign in").click()

        await expect(page).to_have_url(site.address("/agents?status=active"))
        await expect(page.get_by_role("heading", name="Agents")).to_be_visible()


async def test_sign_in_never_leads_to_another_site(chromium: Browser, site: Site) -> None:
    async with watched(chromium, site.server, viewport=WIDE) as context:
        page = await context.new_page()
        await page.goto(f"{site.server.url}/sign-in?next=//evil.example/")
        await page.get_by_label("Email").fill(OWNER["email"])
        await page.get_by_label("Password").fill(OWNER["password"])
        await page.get_by_role("button", name="Sign in").click()

        await expect(page).to_have_url(site.address("/recipes"))
