"""Signing in at an identity provider in a real browser: the first admin, words for what went wrong, signing out."""

import re

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import WIDE
from tests.chaos.harness import stage
from tests.chaos.processes import free_port
from tests.cli.test_up import SAMPLE, until_said
from tests.fakes.oidc_provider import running_provider

ADA = {"sub": "ada-1", "email": "ada@example.org", "email_verified": True, "name": "Ada Lovelace"}


@pytest.mark.capability("S155")
async def test_the_first_person_signs_in_takes_the_server_over_and_sees_the_sample(chromium: Browser) -> None:
    async with running_provider() as provider, stage() as opened:
        provider.people = {"ada": ADA}
        port = free_port()
        provider.redirect_uris = [f"http://127.0.0.1:{port}/api/auth/oidc/callback"]
        server = await opened.start_server(port=port, variables={
            "AUTOMATOS_COOK_SAMPLE": "true", "AUTOMATOS_DEMO_DELAY_MS": "0", **provider.settings(),
        })
        sample = (await until_said(server, SAMPLE))[1]
        link = re.search(r"sign in to begin: (\S+/setup\?token=\S+)", server.log.read_text())
        assert link, server.log.read_text()
        context = await chromium.new_context(viewport=WIDE)
        page = await context.new_page()

        await page.goto(link[1])
        await page.get_by_role("link", name="Sign in with Acme").click()
        await expect(page.get_by_role("heading", name="Acme sign-in")).to_be_visible()
        await page.get_by_label("User").fill("ada")
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("button", name="Administer it as Ada Lovelace").click()
        await expect(page.get_by_role("heading", name="Which model answers?")).to_be_visible()
        await page.goto(sample)
        await expect(page.get_by_text("Completed").first).to_be_visible()

        await page.get_by_role("button", name="Account of Ada Lovelace").click()
        await page.get_by_role("menuitem", name="Sign out").click()
        await expect(page.get_by_role("link", name="Sign in with Acme")).to_be_visible()
        assert provider.asked[-1] == "logout with hint"
        await page.goto(sample)
        await expect(page.get_by_role("link", name="Sign in with Acme")).to_be_visible()

        await page.get_by_role("link", name="Sign in with Acme").click()
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.get_by_role("alert")).to_contain_text("you cancelled there")
        provider.clock_s = 7200
        await page.get_by_role("link", name="Sign in with Acme").click()
        await page.get_by_label("User").fill("ada")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_contain_text("clocks")
        await context.close()
