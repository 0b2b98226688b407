"""Two people change the same thing: the second sees both sides, field by field, in every form."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser.conftest import Room
from tests.browser.test_unsaved_work import leave_anyway, press, textbox


@dataclass(frozen=True)
class Form:
    """A form, how somebody else stores the same thing, and what is stored in the end."""

    what: str
    make: Callable[[Room], Awaitable[tuple[str, str]]]
    """Makes the thing; its page, and where the API has it."""
    label: str
    theirs: Callable[[str], dict[str, Any]]
    """What somebody else saves: this in the same field, and something in a field beside it."""
    stored: Callable[[dict[str, Any]], tuple[object, object]]
    """The contested field and the one beside it."""
    beside: object
    save: Callable[[Page], Awaitable[None]] = lambda page: press(page, "Save changes")


async def persona(room: Room) -> tuple[str, str]:
    body = {"name": "Old hand", "category": "Custom", "system_prompt": "You have seen it all."}
    made = await room.call("POST", f"/api/workspaces/{room.id}/personas", body)
    return f"/personas/{made['id']}/edit", f"/api/workspaces/{room.id}/personas/{made['id']}"


async def skill(room: Room) -> tuple[str, str]:
    body = {"name": "careful-work", "description": "Work with care.", "content": "Look twice."}
    made = await room.call("POST", "/api/skills", body)
    return f"/skills/{made['id']}/edit", f"/api/skills/{made['id']}"


async def pattern(room: Room) -> tuple[str, str]:
    made = await room.call("POST", "/api/patterns", {"name": "Two readers", "pattern_type": "coordination"})
    return f"/skills/patterns/{made['slug']}", f"/api/patterns/{made['slug']}"


async def heartbeat(room: Room) -> tuple[str, str]:
    agent = await room.agent("Watchful")
    return f"/agents/{agent['id']}/settings/heartbeat", f"/api/heartbeat/agents/{agent['id']}/config"


async def credential(room: Room) -> tuple[str, str]:
    made = await room.call("POST", "/api/credentials", {
        "name": "Git", "credential_type": "git_server", "data": {"host": "git.example.com", "token": "not-a-real-one"}})
    return f"/settings/credentials?view={made['id']}", f"/api/credentials/{made['id']}"


async def model(room: Room) -> tuple[str, str]:
    del room
    return "/settings/models?model=1", "/api/models/catalogue/1"


async def save_heartbeat(page: Page) -> None:
    await press(page, "Review and save")
    await page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()


FORMS = [
    Form("persona", persona, "Prompt", lambda text: {"system_prompt": text, "voice_description": "Slow"},
         lambda found: (found["system_prompt"], found["voice_description"]), "Slow"),
    Form("skill", skill, "Description", lambda text: {"description": text, "category": "analytics"},
         lambda found: (found["description"], found["category"]), "analytics",
         lambda page: press(page, "Save as a new version")),
    Form("pattern", pattern, "Description", lambda text: {"description": text, "pattern_data": {"steps": ["read"]}},
         lambda found: (found["description"], found["pattern_data"]), {"steps": ["read"]}),
    Form("heartbeat", heartbeat, "What to look after", lambda text: {"prompt": text, "checklist": ["SearchedPlace"]},
         lambda found: (found["prompt"], found["checklist"]), ["SearchedPlace"], save_heartbeat),
    Form("credential", credential, "Name", lambda text: {"name": text, "environment": "staging"},
         lambda found: (found["name"], found["environment"]), "staging"),
    Form("model", model, "Description", lambda text: {"description": text, "max_output_tokens": 4321},
         lambda found: (found["description"], found["max_output_tokens"]), 4321),
]


@pytest.mark.parametrize("side", ["Keep yours", "Take stored"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.what)
async def test_the_second_save_asks_only_about_what_both_changed(room: Room, form: Form, side: str) -> None:
    path, where = await form.make(room)
    page = await room.open(path)
    page.on("dialog", leave_anyway)
    if form.what == "model":
        await press(page, "Edit")
    await textbox(form.label)(page).fill(f"Mine: {side}")
    await room.call("PUT", where, form.theirs(f"Theirs: {side}"))

    await form.save(page)

    dialog = page.get_by_role("dialog", name=f"Somebody else saved this {form.what} first")
    for text in ("Mine: ", "Theirs: "):
        await expect(dialog).to_contain_text(text)
    assert (await Axe().run(page)).response["violations"] == []
    await dialog.get_by_role("radiogroup", name=form.label).get_by_role("radio", name=side).click()
    await dialog.get_by_role("button", name="Save this choice").click()
    await expect(dialog).to_be_hidden()
    kept = "Mine" if side == "Keep yours" else "Theirs"
    assert form.stored(await room.call("GET", where)) == (f"{kept}: {side}", form.beside)


async def test_a_setting_is_asked_about_and_a_form_can_be_gone_back_to(room: Room) -> None:
    page = await room.open("/settings/general")
    page.on("dialog", leave_anyway)
    field = page.get_by_role("spinbutton").first
    row = page.get_by_role("listitem").filter(has=field).first
    known = (await room.call("GET", "/api/settings/catalogue"))["items"]
    number = next(one for one in known if one["key"] == "temperature")
    label = await field.evaluate("field => field.labels[0].textContent.trim()")
    assert "emperature" in label
    await field.fill("0.3")
    await room.call("PUT", f"/api/settings/{number['category']}/temperature", {"scope": "workspace", "value": 0.9})
    await row.get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog", name="Somebody else saved this setting first")
    await dialog.get_by_role("button", name="Keep editing").click()
    await expect(field).to_have_value("0.3")
    await row.get_by_role("button", name="Save").click()
    await dialog.get_by_role("radio", name="Keep yours").click()
    await dialog.get_by_role("button", name="Save this choice").click()
    await expect(dialog).to_be_hidden()
    stored = (await room.call("GET", "/api/settings"))["items"]
    assert [one["value"] for one in stored if one["key"] == "temperature" and one["scope"] == "workspace"] == [0.3]


async def test_a_new_credential_is_kept_over_a_reload_without_its_secret(room: Room) -> None:
    page = await room.open("/settings/credentials?view=new")
    page.on("dialog", leave_anyway)
    sheet = page.get_by_role("dialog", name="New credential")
    await sheet.get_by_label("Kind").select_option("Git server")
    await sheet.get_by_label("Name", exact=True).fill("Half a credential")
    await sheet.get_by_label("Token").first.fill("secret-that-is-never-kept")
    kept = await page.evaluate("JSON.stringify(localStorage)")
    assert "Half a credential" in kept
    assert "secret-that-is-never-kept" not in kept
    await page.reload()
    await sheet.get_by_role("button", name="Restore").click()

    await expect(sheet.get_by_label("Kind")).to_have_value("git_server")
    await expect(sheet.get_by_label("Name", exact=True)).to_have_value("Half a credential")
    await expect(sheet.get_by_label("Token").first).to_have_value("")
    assert (await Axe().run(page)).response["violations"] == []
