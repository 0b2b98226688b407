"""Nothing that a person typed is ever lost, in any editor, whatever becomes of the server, the session or the tab."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Dialog, Locator, Page, Route, expect

from tests.browser.conftest import OWNER, Room, close_by_escape


@dataclass(frozen=True)
class Editor:
    """One form: where it is, the field that is typed into, and how it is saved."""

    name: str
    path: Callable[[Room], Awaitable[str]]
    field: Callable[[Page], Locator]
    save: Callable[[Page], Awaitable[None]]
    writes: str
    """The requests that store it."""
    said: re.Pattern[str]
    """What the page says once the server has stored it."""


async def recipe_path(room: Room) -> str:
    agent = await room.agent("Cook")
    step = {"step_id": "boil", "order": 1, "agent_id": agent["id"], "prompt_template": "Boil.", "output_key": "soup"}
    await room.call("POST", "/api/workflow-recipes", {"template_id": "soup", "name": "Soup", "steps": [step]})
    return "/recipes/soup"


async def agent_path(room: Room) -> str:
    return f"/agents/{(await room.agent('Typed'))['id']}/settings"


async def persona_path(room: Room) -> str:
    body = {"name": "Old hand", "category": "Custom", "system_prompt": "You have seen it all."}
    persona = await room.call("POST", f"/api/workspaces/{room.id}/personas", body)
    return f"/personas/{persona['id']}/edit"


async def skill_path(room: Room) -> str:
    body = {"name": "careful-work", "description": "Work with care.", "content": "Look twice."}
    skill = await room.call("POST", "/api/skills", body)
    return f"/skills/{skill['id']}/edit"


async def pattern_path(room: Room) -> str:
    pattern = await room.call("POST", "/api/patterns", {"name": "Two readers", "pattern_type": "coordination"})
    return f"/skills/patterns/{pattern['slug']}"


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def save_agent(page: Page) -> None:
    await press(page, "Review and save")
    await page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()


def textbox(name: str) -> Callable[[Page], Locator]:
    return lambda page: page.get_by_role("textbox", name=name).first


EDITORS = [
    Editor("recipe", recipe_path, textbox("Description"), lambda page: press(page, "Save changes"),
           "**/api/workflow-recipes/soup", re.compile(r"^Saved as version \d+\.$")),
    Editor("agent", agent_path, textbox("Description"), save_agent, "**/api/agents/*", re.compile(r"^Saved\.$")),
    Editor("persona", persona_path, textbox("Prompt"), lambda page: press(page, "Save changes"), "**/personas/*",
           re.compile(r"^Old hand is saved\.$")),
    Editor("skill", skill_path, textbox("Instructions"), lambda page: press(page, "Save as a new version"),
           "**/api/skills/*", re.compile(r"^careful-work is saved\.$")),
    Editor("pattern", pattern_path, textbox("Description"), lambda page: press(page, "Save changes"),
           "**/api/patterns/*", re.compile(r"^Two readers is saved\.$")),
]
each_editor = pytest.mark.parametrize("editor", EDITORS, ids=lambda editor: editor.name)


async def begin(room: Room, editor: Editor, text: str) -> Page:
    """Open the editor and type into it."""
    page = await room.open(await editor.path(room))
    await editor.field(page).fill(text)
    return page


async def end_session_at_save(room: Room, page: Page, writes: str) -> None:
    """Let the session end when a save is sent, so that no reading of the page's own asks for signing in before it."""
    sent: list[str] = []

    async def end(route: Route) -> None:
        if route.request.method != "GET" and not sent:
            sent.append(route.request.url)
            await room.context.clear_cookies()
        await route.continue_()

    await page.route(writes, end)


async def leave_anyway(dialog: Dialog) -> None:
    await dialog.accept()


@each_editor
async def test_while_the_server_is_away_every_letter_stays_and_is_saved_afterwards(room: Room, editor: Editor) -> None:
    page = await room.context.new_page()
    await page.clock.install()
    await page.goto(room.address(await editor.path(room)))
    await editor.field(page).fill("Typed before")
    away = asyncio.Event()
    refused = asyncio.Event()

    async def unplugged(route: Route) -> None:
        if away.is_set():
            refused.set()
            await route.abort()
        else:
            await route.continue_()

    away.set()
    await page.route("**/api/**", unplugged)
    await editor.field(page).fill("Typed before and while it was away")
    told = page.get_by_text("what you type is kept").first
    async with asyncio.timeout(60):
        # Every half minute the window comes to the front: what is on it is read again, three times in vain. A reading
        # that had begun before the server went may still end well, and then the next one tells.
        while not await told.is_visible():
            await page.clock.fast_forward(30_000)
            await page.evaluate("window.dispatchEvent(new Event('visibilitychange'))")
            await page.clock.run_for(10_000)
    assert refused.is_set()
    await expect(editor.field(page)).to_have_value("Typed before and while it was away")
    refused.clear()
    await editor.save(page)
    await asyncio.wait_for(refused.wait(), 30)
    await expect(page.get_by_text("No answer from the server").first).to_be_visible()
    if editor.name == "agent":
        await page.get_by_role("dialog").get_by_role("button", name="Keep editing").click()
    await expect(editor.field(page)).to_have_value("Typed before and while it was away")

    away.clear()
    await editor.save(page)

    await expect(page.get_by_text(editor.said).first).to_be_visible()
    await page.unroute("**/api/**")
    await page.goto("about:blank")
    again = await room.context.new_page()
    await again.goto(room.address(await stored_path(room, editor)))
    await expect(editor.field(again)).to_have_value("Typed before and while it was away")


async def stored_path(room: Room, editor: Editor) -> str:
    """Return where the one thing of this kind that the test made is edited."""
    if editor.name == "recipe":
        return "/recipes/soup"
    if editor.name == "agent":
        return f"/agents/{(await room.call('GET', '/api/agents'))['items'][0]['id']}/settings"
    if editor.name == "persona":
        found = (await room.call("GET", "/api/personas?scope=workspace"))["items"][0]
        return f"/personas/{found['id']}/edit"
    if editor.name == "pattern":
        return "/skills/patterns/two-readers"
    found = next(one for one in (await room.call("GET", "/api/skills"))["items"] if one["name"] == "careful-work")
    return f"/skills/{found['id']}/edit"


@each_editor
async def test_what_is_typed_while_a_save_hangs_stays_and_stays_unsaved(room: Room, editor: Editor) -> None:
    page = await begin(room, editor, "First")
    held, let_go = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        if route.request.method == "PUT":
            held.set()
            await let_go.wait()
        await route.continue_()

    await page.route(editor.writes, hold)
    await editor.save(page)
    await asyncio.wait_for(held.wait(), 30)
    if editor.name == "agent":  # its review stands over the form until it is over
        await page.get_by_role("dialog").get_by_role("button", name="Keep editing").click()
    field = editor.field(page)
    await field.press("End")
    await field.press_sequentially(" and second")
    let_go.set()

    await expect(page.get_by_text(editor.said).first).to_be_visible()
    await expect(field).to_have_value("First and second")
    await page.unroute(editor.writes)
    await editor.save(page)
    await expect(page.get_by_role("region", name="Unsaved changes")).to_be_hidden()
    fresh = await room.context.new_page()
    await fresh.goto(room.address(await stored_path(room, editor)))
    await expect(editor.field(fresh)).to_have_value("First and second")


@each_editor
async def test_when_the_session_ends_one_signs_in_over_the_page_and_the_save_goes_on(
    room: Room, editor: Editor
) -> None:
    page = await begin(room, editor, "Typed before the session ended")
    await end_session_at_save(room, page, editor.writes)
    await editor.save(page)

    dialog = page.get_by_role("dialog", name="Your session has ended")
    await expect(dialog).to_be_visible()
    assert (await Axe().run(page)).response["violations"] == []
    await sign_in(dialog)

    await expect(page.get_by_text(editor.said).first).to_be_visible()
    fresh = await room.context.new_page()
    await fresh.goto(room.address(await stored_path(room, editor)))
    await expect(editor.field(fresh)).to_have_value("Typed before the session ended")


@each_editor
async def test_a_save_without_a_session_is_told_when_signing_in_is_put_off_and_goes_on_later(
    room: Room, editor: Editor
) -> None:
    page = await begin(room, editor, "Typed before the session ended")
    await end_session_at_save(room, page, editor.writes)
    await editor.save(page)
    asking = page.get_by_role("dialog", name="Your session has ended")
    await close_by_escape(page, asking)

    refusal = page.get_by_role("alert").filter(has_text="Whatever you typed is still here")
    await expect(refusal).to_be_visible()
    assert (await Axe().run(page)).response["violations"] == []

    await refusal.get_by_role("button", name="Sign in again").click()
    await sign_in(asking)
    await expect(page.get_by_text("You are signed out.")).to_be_hidden()
    if editor.name == "agent":  # its review still stands over the form
        await page.get_by_role("dialog").get_by_role("button", name="Keep editing").click()
    await expect(editor.field(page)).to_have_value("Typed before the session ended")
    await editor.save(page)
    await expect(page.get_by_text(editor.said).first).to_be_visible()


async def sign_in(dialog: Locator) -> None:
    """Sign in over the page, and wait until the dialog is gone."""
    await dialog.get_by_label("Email").fill(OWNER["email"])
    await dialog.get_by_label("Password").fill(OWNER["password"])
    await dialog.get_by_role("button", name="Sign in").click()
    await expect(dialog).to_be_hidden()


async def test_every_page_says_so_while_nobody_is_signed_in_until_somebody_is_in_another_tab(room: Room) -> None:
    page = await room.open("/skills/new")
    await textbox("Name")(page).fill("put-off")
    await textbox("Description")(page).fill("Something to put off.")
    await textbox("Instructions")(page).fill("Half a thought")
    cookies = await room.context.cookies()
    await end_session_at_save(room, page, "**/api/skills")
    await page.get_by_role("button", name=re.compile("^(Create|Save) ")).last.click()
    await page.get_by_role("dialog", name="Your session has ended").get_by_role("button", name="Close").click()
    strip = page.get_by_role("alert").filter(has_text="You are signed out.").first
    await expect(strip.get_by_role("button", name="Sign in again")).to_be_visible()

    await room.context.add_cookies(cookies)  # pyright: ignore[reportArgumentType]
    await page.get_by_role("button", name=re.compile("^(Create|Save) ")).last.click()

    await expect(page.get_by_text("You are signed out")).to_be_hidden()
    await expect(page.get_by_role("heading", name="put-off", level=1)).to_be_visible()


@each_editor
async def test_after_a_reload_unsaved_work_is_offered_and_restored(room: Room, editor: Editor) -> None:
    page = await begin(room, editor, "Typed before the crash")
    page.on("dialog", leave_anyway)
    await page.reload()
    offer = page.get_by_role("region", name="Unsaved work of an earlier visit")
    await expect(offer).to_be_visible()
    assert (await Axe().run(page)).response["violations"] == []
    await expect(editor.field(page)).not_to_have_value("Typed before the crash")

    await offer.get_by_role("button", name="Restore").click()

    await expect(editor.field(page)).to_have_value("Typed before the crash")
    await expect(offer).to_be_hidden()
    await editor.save(page)
    await expect(page.get_by_text(editor.said).first).to_be_visible()
    fresh = await room.context.new_page()
    await fresh.goto(room.address(await stored_path(room, editor)))
    await expect(editor.field(fresh)).to_have_value("Typed before the crash")
    await expect(fresh.get_by_role("region", name="Unsaved work of an earlier visit")).to_be_hidden()


NEW = [("/recipes/new", "Name"), ("/personas/new", "Prompt"), ("/skills/new", "Instructions"),
       ("/skills/patterns/new", "Says")]


@pytest.mark.parametrize(("path", "field"), NEW)
async def test_a_new_thing_is_kept_over_a_reload_and_can_be_thrown_away(room: Room, path: str, field: str) -> None:
    page = await room.open(path)
    page.on("dialog", leave_anyway)
    await textbox(field)(page).fill("Half a thought")
    await page.reload()
    offer = page.get_by_role("region", name="Unsaved work of an earlier visit")
    await offer.get_by_role("button", name="Restore").click()
    await expect(textbox(field)(page)).to_have_value("Half a thought")

    await page.reload()
    await offer.get_by_role("button", name="Discard").click()
    await page.reload()

    await expect(textbox(field)(page)).to_be_visible()
    await expect(offer).to_be_hidden()


async def test_a_task_and_the_inputs_of_a_recipe_are_kept_when_their_dialog_closes(room: Room) -> None:
    agent = await room.agent("Typed")
    page = await room.open(f"/agents/{agent['id']}")
    await page.get_by_role("button", name="Run task").click()
    await page.get_by_label("What to do").fill("A long instruction")
    await page.get_by_role("button", name="Not now").click()
    await page.reload()
    await page.get_by_role("button", name="Run task").click()
    await page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    await expect(page.get_by_label("What to do")).to_have_value("A long instruction")


async def test_somebody_else_who_signs_in_over_the_page_saves_nothing_of_it(room: Room) -> None:
    invited = await room.call("POST", f"/api/workspaces/{room.id}/members/invite",
                              {"email": "eve@example.com", "role": "editor"})
    token = invited["token"] if "token" in invited else invited["url"].rsplit("#", 1)[-1].split("=")[-1]
    other = {"token": token, "name": "Eve", "password": "correct horse battery two"}
    apart = await room.context.browser.new_context()  # pyright: ignore[reportOptionalMemberAccess]
    signed = await apart.request.post(
        f"{room.server.url}/api/invitations/sign-up", data=other, headers={"X-Requested-With": "automatos"})
    assert signed.ok, await signed.text()
    await apart.close()
    editor = EDITORS[2]
    page = await begin(room, editor, "Ada's own words")
    await end_session_at_save(room, page, editor.writes)
    await editor.save(page)
    dialog = page.get_by_role("dialog", name="Your session has ended")
    await dialog.get_by_label("Email").fill("eve@example.com")
    await dialog.get_by_label("Password").fill(other["password"])
    await dialog.get_by_role("button", name="Sign in").click()

    await expect(page.get_by_role("heading", name="Recipes", level=1)).to_be_visible()
    assert (await room.call("GET", "/api/personas?scope=workspace"))["items"][0]["system_prompt"] != "Ada's own words"
