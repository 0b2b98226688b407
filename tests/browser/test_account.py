"""One's own account in the web app: the password, where one is signed in, and whose a key is."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, expect

from tests.browser.conftest import OWNER, PHONE, WIDE, Site, call, watched
from tests.chaos.harness import stage
from tests.chaos.processes import Server

PAGE = "/account"


@pytest.fixture
async def own(chromium: Browser) -> AsyncIterator[Site]:
    """A server of this test alone: what ends every session would end those of others."""
    async with stage() as opened:
        server = await opened.start_server()
        context = await chromium.new_context()
        me = await call(context, server, "POST", "/api/setup", OWNER)
        yield Site(server, me["workspaces"][0]["slug"], "", await context.storage_state())
        await context.close()


async def sign_in_elsewhere(chromium: Browser, server: Server) -> BrowserContext:
    context = await chromium.new_context(
        user_agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64) Gecko/20100101 Firefox/145.0")
    await call(context, server, "POST", "/api/auth/sign-in", {name: OWNER[name] for name in ("email", "password")})
    return context


async def is_signed_in(context: BrowserContext, server: Server) -> bool:
    answer = await context.request.get(f"{server.url}/api/auth/me")
    return answer.status == 200


def shot(name: str, folder: Path) -> str:
    return str(folder / f"{name}.png")


async def test_a_person_ends_a_session_changes_the_password_and_signs_out_everywhere(
    chromium: Browser, own: Site, tmp_path: Path
) -> None:
    other = await sign_in_elsewhere(chromium, own.server)
    async with watched(chromium, own.server, viewport=WIDE, storage_state=own.cookies) as context:
        page = await context.new_page()
        await page.goto(own.address("/recipes"))
        await page.get_by_role("button", name="Account of Ada").click()
        await page.get_by_role("menuitem", name="Your account").click()
        await expect(page.get_by_role("heading", name="Your account")).to_be_visible()
        await expect(page.get_by_text("this one")).to_have_count(1)

        await page.get_by_role("button", name="End the session in Firefox on Windows").click()
        await page.get_by_role("button", name="End session").click()
        await expect(page.get_by_text("Firefox on Windows")).to_have_count(0)
        assert not await is_signed_in(other, own.server)

        await page.get_by_label("Present password").fill("wrong horse")
        await page.get_by_label("New password", exact=True).fill("battery staple")
        await page.get_by_label("New password again").fill("battery stable")
        change = page.get_by_role("button", name="Change password")
        await change.click()
        await expect(page.get_by_text("The two new passwords are not the same.")).to_be_visible()
        await page.get_by_label("New password again").fill("battery staple")
        await change.click()
        await expect(page.get_by_text("This is not your present password.")).to_be_visible()
        await page.get_by_label("Present password").fill(OWNER["password"])
        await change.click()
        await expect(page.get_by_text("Your password is changed.")).to_be_visible()
        await expect(page.get_by_label("Present password")).to_have_value("")

        await page.get_by_role("button", name="Sign out everywhere").click()
        await page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere").click()
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert not await is_signed_in(context, own.server)
    await other.close()


async def test_the_account_is_the_same_on_a_phone_and_in_the_dark(
    chromium: Browser, site: Site, tmp_path: Path
) -> None:
    for name, options in {
        "light": {"viewport": WIDE}, "dark": {"viewport": WIDE, "color_scheme": "dark"}, "phone": {"viewport": PHONE},
    }.items():
        async with watched(chromium, site.server, storage_state=site.cookies, **options) as context:
            page = await context.new_page()
            await page.goto(site.address(PAGE))
            await expect(page.get_by_text("this one")).to_be_visible()
            await page.screenshot(path=shot(f"account-{name}", tmp_path), full_page=True)
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            await page.goto(site.address("/settings/audit"))
            await expect(page.get_by_text("account 1").first).to_be_visible()
            await page.get_by_role("listitem").first.locator("summary").click()
            await page.screenshot(path=shot(f"audit-{name}", tmp_path))
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_key_is_shown_with_whose_it_is_and_the_log_is_asked_for_an_account(
    chromium: Browser, site: Site, tmp_path: Path
) -> None:
    async with watched(chromium, site.server, viewport=WIDE, storage_state=site.cookies) as context:
        page = await context.new_page()
        await page.goto(site.address("/settings/keys"))
        await page.get_by_role("button", name="New key").click()
        await page.get_by_label("Name").fill("nightly report")
        await page.get_by_label("Belongs to the workspace").check()
        await page.get_by_role("button", name="Make the key").click()
        await page.get_by_role("button", name="Done").click()
        await expect(page.get_by_role("listitem").filter(has_text="nightly report")).to_contain_text("of the workspace")
        await page.screenshot(path=shot("keys", tmp_path))

        await page.goto(site.address("/settings/audit?action=api_key"))
        entry = page.get_by_role("listitem").filter(has_text="nightly report").first
        await entry.locator("summary").click()
        await expect(entry).to_contain_text("a browser's sign-in")
        await entry.get_by_role("button", name="Everything by this account").click()
        await expect(page.get_by_role("button", name="Only by account")).to_be_visible()
        await expect(page).to_have_url(re.compile("who=account"))
        await page.get_by_label("However they came").select_option("bearer")
        await expect(page.get_by_text("No entry fits these filters.")).to_be_visible()
