"""What is typed into small dialogs is kept as well, and a page tells one truth at a time about its connection."""

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.browser.conftest import Room
from tests.browser.test_unsaved_work import EDITORS, begin, end_session_at_save, leave_anyway, press


@pytest.mark.parametrize(("section", "opens", "label", "text", "sends", "secret"), [
    ("members", "Invite", "Email", "eve@example.com", "Make the link", r"https?://\S+"),
    ("keys", "New key", "Name", "Nightly report", "Make the key", r"ak_\w+"),
])
async def test_an_invitation_and_a_key_are_kept_until_they_are_made_and_their_secret_never(
    room: Room, section: str, opens: str, label: str, text: str, sends: str, secret: str
) -> None:
    page = await room.open(f"/settings/{section}")
    page.on("dialog", leave_anyway)
    dialog = page.get_by_role("dialog")
    await press(page, opens)
    await dialog.get_by_label(label).fill(text)
    await dialog.get_by_role("combobox").select_option("viewer")
    await dialog.get_by_role("button", name="Not now").click()
    await page.reload()
    await press(page, opens)
    await dialog.get_by_role("button", name="Restore").click()
    await expect(dialog.get_by_label(label)).to_have_value(text)
    await expect(dialog.get_by_role("combobox")).to_have_value("viewer")
    assert (await Axe().run(page)).response["violations"] == []

    await dialog.get_by_role("button", name=sends).click()

    await expect(dialog).to_contain_text(re.compile(secret))
    made = re.search(secret, await dialog.inner_text())
    assert made
    kept = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert [word for word in (made[0], text) if word in kept] == []
    await dialog.get_by_role("button", name="Done").click()
    await page.reload()
    await press(page, opens)
    await expect(dialog.get_by_label(label)).to_have_value("")
    await expect(dialog.get_by_role("button", name="Restore")).to_have_count(0)


async def test_while_signed_out_the_page_does_not_say_as_well_that_the_connection_is_lost(room: Room) -> None:
    await room.context.route("**/api/events?*", lambda route: route.abort())
    page = await begin(room, EDITORS[2], "Two truths")
    lost = page.get_by_text("Connection lost")
    await expect(lost.first).to_be_visible()
    cookies = await room.context.cookies()
    await end_session_at_save(room, page, EDITORS[2].writes)
    await EDITORS[2].save(page)
    dialog = page.get_by_role("dialog", name="Your session has ended")
    await expect(dialog).to_be_visible()
    await expect(lost).to_have_count(0)

    await dialog.get_by_role("button", name="Close").click()

    await expect(page.get_by_text("You are signed out.")).to_be_visible()
    await expect(lost).to_have_count(0)
    await expect(page.get_by_role("status").filter(has_text="Signed out").first).to_be_visible()
    await room.context.add_cookies(cookies)  # pyright: ignore[reportArgumentType]
    await EDITORS[2].save(page)
    await expect(page.get_by_text("You are signed out.")).to_be_hidden()
    await expect(lost.first).to_be_visible()
    await room.context.unroute_all(behavior="wait")
