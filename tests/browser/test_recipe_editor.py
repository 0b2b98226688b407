"""Editing a recipe: faults at their place, no lost work, no mouse needed."""

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.conftest import Site


@pytest.fixture(name="page")
async def editor(browsing: BrowserContext, site: Site) -> Page:
    page = await browsing.new_page()
    await page.goto(site.address("/recipes/research-digest"))
    await expect(page.get_by_role("group", name="Step 3")).to_be_visible()
    return page


async def step_names(page: Page) -> list[str]:
    return [await each.input_value() for each in await page.get_by_label("Name of the step").all()]


async def test_names_an_unknown_variable_at_its_line_and_column(page: Page) -> None:
    prompt = page.get_by_role("group", name="Step 2").get_by_label("Prompt")

    await prompt.fill("First line\nUse {nothing} here")

    await expect(page.get_by_role("group", name="Step 2")).to_contain_text("line 2, column 5")
    await expect(prompt).to_have_attribute("aria-invalid", "true")


async def test_puts_a_variable_where_the_cursor_is(page: Page) -> None:
    step = page.get_by_role("group", name="Step 1")
    await step.get_by_label("Prompt").fill("About : please")
    await step.get_by_label("Prompt").evaluate("area => area.setSelectionRange(6, 6)")

    await step.get_by_role("button", name="{input.topic}").click()

    await expect(step.get_by_label("Prompt")).to_have_value("About {input.topic}: please")


async def test_moves_a_step_by_keyboard_and_keeps_the_focus(page: Page) -> None:
    before = await step_names(page)
    await page.get_by_label("Name of the step").first.focus()

    await page.keyboard.press("Alt+ArrowDown")

    assert await step_names(page) == [before[1], before[0], before[2]]
    await expect(page.get_by_label("Name of the step").nth(1)).to_be_focused()


async def test_a_save_over_somebody_elses_asks_only_about_what_both_changed(
    page: Page, browsing: BrowserContext, site: Site
) -> None:
    first = page.get_by_role("group", name="Step 1")
    await page.get_by_label("Description").first.fill("Saved by me")
    await first.get_by_label("Prompt").fill("My words on {input.topic}")
    other = await browsing.new_page()
    await other.goto(site.address("/recipes/research-digest"))
    await other.get_by_label("Description").first.fill("Saved by the other")
    await other.get_by_role("group", name="Step 1").get_by_label("Name of the step").fill("plan-anew")
    await other.get_by_role("button", name="Save changes").click()
    await expect(other.get_by_text("Saved as version")).to_be_visible()

    await page.get_by_role("button", name="Save changes").click()

    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Saved by the other")
    await expect(dialog).to_contain_text("Saved by me")
    await dialog.get_by_role("radiogroup", name="Description").get_by_role("radio", name="Keep yours").click()
    await dialog.get_by_role("button", name="Save this choice").click()
    await expect(dialog).to_be_hidden()
    await page.reload()
    await expect(page.get_by_label("Description").first).to_have_value("Saved by me")
    await expect(first.get_by_label("Prompt")).to_have_value("My words on {input.topic}")
    await expect(first.get_by_label("Name of the step")).to_have_value("plan-anew")
