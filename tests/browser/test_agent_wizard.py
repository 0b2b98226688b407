"""Making an agent in five steps: from a persona, tried before it exists, never lost on the way."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Room

STEPS = ("Basics", "Persona", "Model", "Capabilities", "Review")


def name_of(page: Page):
    return page.get_by_role("textbox", name="Name", exact=True)


async def go_on(page: Page, to: str) -> None:
    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_role("heading", name=to, level=2)).to_be_focused()


@pytest.mark.capability("S186")
@pytest.mark.capability("S054")
async def test_leads_from_a_persona_to_an_agent_that_was_tried_before_it_was_created(room: Room) -> None:
    persona = (await room.call("GET", "/api/personas"))["items"][0]
    page = await room.open("/agents/new")
    steps = page.get_by_role("navigation", name="Steps to a new agent").get_by_role("button")
    await expect(steps).to_contain_text(list(STEPS))

    await page.get_by_role("radio", name="A persona").click()
    await page.get_by_role("combobox", name="Persona").select_option(persona["id"])
    await expect(name_of(page)).to_have_value(persona["name"])
    await name_of(page).fill("Wizard made")
    await page.get_by_role("button", name="Next").click()
    await expect(page.get_by_role("combobox", name="Category")).to_be_focused()  # what is missing, not the next step
    await page.get_by_role("combobox", name="Category").select_option(index=1)
    await go_on(page, "Persona")

    await expect(page.get_by_role("radio", name="From the library")).to_be_checked()
    await page.get_by_role("radio", name="Its own words").click()
    words = page.get_by_role("textbox", name="Who it is")
    await expect(words).to_have_value(persona["system_prompt"])
    await words.fill("You count the words of a text.")
    await page.reload()
    await expect(page.get_by_role("status").filter(has_text="Your draft")).to_be_visible()
    await expect(words).to_have_value("You count the words of a text.")

    await go_on(page, "Model")
    await go_on(page, "Capabilities")
    await page.get_by_role("checkbox", name="text_stats").check()
    await go_on(page, "Review")
    review = page.get_by_role("main")
    for chosen in ("Wizard made", "You count the words of a text.", "default model", "text_stats"):
        await expect(review).to_contain_text(chosen)
    await page.get_by_role("textbox", name="Say something to the agent").fill("How many words has this?")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("list", name="Conversation")).to_contain_text("[demo]")
    assert (await room.call("GET", "/api/agents"))["total"] == 0

    await page.get_by_role("button", name="Create agent").click()
    await expect(page.get_by_role("heading", name="Wizard made", level=1)).to_be_visible()
    made = await room.call("GET", f"/api/agents/{page.url.rpartition('/')[2]}")
    assert (made["status"], made["tools"], made["use_custom_persona"]) == ("active", ["text_stats"], True)
    assert made["custom_persona_prompt"] == "You count the words of a text."
    await page.goto(room.address("/agents/new"))
    await expect(name_of(page)).to_have_value("")


@pytest.mark.capability("S186")
async def test_a_refusal_leads_to_the_step_that_holds_the_field_and_keeps_everything_else(room: Room) -> None:
    await room.agent("Taken")
    page = await room.open("/agents/new")
    await name_of(page).fill("Taken")
    await page.get_by_role("combobox", name="Category").select_option(index=2)
    for step in STEPS[1:]:
        await go_on(page, step)

    await page.get_by_role("button", name="Create agent").click()

    await expect(page.get_by_role("heading", name="Basics", level=2)).to_be_visible()
    await expect(name_of(page)).to_have_attribute("aria-invalid", "true")
    await name_of(page).fill("Free")
    await page.get_by_role("button", name="Review").click()
    await page.get_by_role("switch", name="Activate it right away").click()
    await page.get_by_role("button", name="Create agent").click()
    await expect(page.get_by_role("heading", name="Free", level=1)).to_be_visible()
    found = (await room.call("GET", "/api/agents?search=Free"))["items"]
    assert [each["status"] for each in found] == ["inactive"]


@pytest.mark.capability("S053")
async def test_offers_the_voices_that_fit_what_the_agent_is_shown_as_and_all_when_asked(room: Room) -> None:
    page = await room.open("/agents/new")
    await name_of(page).fill("Poster")
    await page.get_by_role("combobox", name="Category").select_option("Social Media")
    await go_on(page, "Persona")
    await page.get_by_role("radio", name="From the library").click()
    voices = page.get_by_role("radiogroup", name="Persona of the library").get_by_role("radio")

    await expect(voices).to_have_count(4)
    await page.get_by_role("checkbox", name="Show personas for other kinds of work too").check()
    await expect(voices).to_have_count(16)
