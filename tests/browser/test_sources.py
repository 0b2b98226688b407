"""Repositories that skills come from: added, kept while they are typed, changed by two people, and accessible."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Dialog, Locator, Page, expect

from tests.browser.conftest import OWNER, PHONE, WIDE, Room, call, new_room
from tests.chaos.harness import stage
from tests.fakes.git_server import GitServer

SKILL = "---\nname: {name}\ndescription: Does one thing well.\n---\n\nDo it well.\n"


@pytest.fixture(scope="module")
async def acme() -> AsyncIterator[str]:
    """The address of a repository with two folders of skills."""
    async with GitServer() as server:
        repository = server.repository("acme/skills")
        repository.commit({f"{folder}/{name}/SKILL.md": SKILL.format(name=name).encode()
                           for folder, name in (("tools", "sharp-saw"), ("words", "plain-word"))})
        yield server.url_of("acme/skills")


@pytest.fixture(scope="module")
async def inside(chromium: Browser) -> AsyncIterator[Room]:
    """A workspace on a server that may read repositories of this machine."""
    async with stage() as opened:
        server = await opened.start_server(variables={"AUTOMATOS_ALLOW_PRIVATE_URLS": "true"})
        context = await chromium.new_context()
        await call(context, server, "POST", "/api/setup", OWNER)
        async with new_room(chromium, server, await context.storage_state(), reduced_motion="reduce") as room:
            host = {"host": "git.example.com", "token": "not-a-real-one"}
            await room.call("POST", "/api/credentials", {
                "name": "Acme git", "credential_type": "git_server", "data": host})
            yield room
        await context.close()


async def faults(page: Page) -> list[Any]:
    """Everything that axe finds, wide and light, dark, and on a phone."""
    found: list[Any] = []
    for size, scheme in ((WIDE, "light"), (WIDE, "dark"), (PHONE, "light")):
        await page.set_viewport_size(size)
        await page.emulate_media(color_scheme=scheme)
        await expect(page.locator("html.dark")).to_have_count(int(scheme == "dark"))
        found += [(scheme, each["id"]) for each in (await Axe().run(page)).response["violations"]]
        found += ["too wide"] if await page.evaluate("document.documentElement.scrollWidth > innerWidth") else []
    await page.set_viewport_size(WIDE)
    return found


async def leave_anyway(dialog: Dialog) -> None:
    await dialog.accept()


async def change(page: Page) -> Locator:
    """Open what can be changed of the one repository."""
    await page.get_by_role("button", name="Change", exact=True).click()
    dialog = page.get_by_role("dialog", name="Change acme/skills")
    await expect(dialog).to_be_visible()
    return dialog


async def test_a_repository_is_kept_while_it_is_typed_and_its_folder_and_credential_can_be_changed_later(
    inside: Room, acme: str
) -> None:
    page = await inside.open("/skills?tab=sources")
    page.on("dialog", leave_anyway)
    await page.get_by_role("button", name="Add a repository").click()
    dialog = page.get_by_role("dialog", name="Skills from git")
    assert await faults(page) == []
    await dialog.get_by_label("Address").fill(acme)
    await page.reload()
    await page.get_by_role("button", name="Add a repository").click()
    await dialog.get_by_role("button", name="Restore").click()
    await expect(dialog.get_by_label("Address")).to_have_value(acme)
    await dialog.get_by_role("button", name="Read the repository").click()
    await dialog.get_by_role("button", name="Done").click()
    await expect(page.get_by_text("2 skills from")).to_be_visible()
    assert await faults(page) == []

    dialog = await change(page)
    await dialog.get_by_label("Folder").fill("tools")
    await dialog.get_by_label("Credential").select_option("Acme git")
    assert await faults(page) == []
    await dialog.get_by_role("button", name="Save changes").click()

    await expect(dialog).to_be_hidden()
    await expect(page.get_by_text("Acme git opens it.")).to_be_visible()
    source = (await inside.call("GET", "/api/skills/sources"))["items"][0]
    assert (source["git_folder"], source["credential_id"] is not None) == ("tools", True)
    dialog = await change(page)
    await dialog.get_by_label("Folder").fill("")
    await dialog.get_by_label("Credential").select_option("None, it is public")
    await inside.call("PUT", f"/api/skills/sources/{source['id']}", {"git_folder": "words", "auto_update": True})
    await dialog.get_by_role("button", name="Save changes").click()
    conflict = page.get_by_role("dialog", name="Somebody else saved this repository first")
    await conflict.get_by_role("radiogroup", name="Folder").get_by_role("radio", name="Keep yours").click()
    assert await faults(page) == []
    await conflict.get_by_role("button", name="Save this choice").click()
    await expect(conflict).to_be_hidden()

    stored = (await inside.call("GET", "/api/skills/sources"))["items"][0]
    assert (stored["git_folder"], stored["credential_id"], stored["auto_update"]) == ("", None, True)


async def test_the_sheets_of_the_library_are_accessible(inside: Room) -> None:
    page = await inside.open("/skills")
    await page.get_by_role("button", name="Add skill").first.click()
    await page.get_by_role("menuitem", name="Upload").click()
    await expect(page.get_by_role("dialog", name="Upload skills")).to_be_visible()
    assert await faults(page) == []
