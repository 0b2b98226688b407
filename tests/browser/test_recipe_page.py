"""A recipe's page and its dialog: what is cooked is what was said, in the order it was written, in this workspace."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Dialog, expect

from tests.browser.conftest import Room

INPUTS = {"title": {"type": "string", "required": True}, "count": {"type": "integer", "required": True},
          "cfg": {"type": "object"}}


async def new_recipe(room: Room, *, is_ready: bool = True, **fields: object) -> None:
    agent = await room.agent("Cook", activate=is_ready)
    step = {"step_id": "boil", "order": 1, "agent_id": agent["id"], "prompt_template": "Boil.", "output_key": "soup"}
    body = {"template_id": "soup", "name": "Soup", "steps": [step]} | fields
    await room.call("POST", "/api/workflow-recipes", body)


async def prompts(room: Room) -> list[str]:
    """Return what the first step of each run was asked, newest first."""
    runs = (await room.call("GET", "/api/runs"))["items"]
    whole = [await room.call("GET", f"/api/runs/{run['id']}") for run in runs]
    return [f"version {run['recipe_version']}" for run in whole]


async def test_what_is_cooked_is_said_before_and_nothing_is_asked_after(room: Room) -> None:
    await new_recipe(room)
    page = await room.open("/recipes/soup")
    asked: list[str] = []

    async def note(dialog: Dialog) -> None:
        asked.append(dialog.message)
        await dialog.dismiss()

    page.on("dialog", note)
    await page.get_by_role("textbox", name="Prompt").fill("Boil it twice.")
    await page.get_by_role("button", name="Cook version 1").click()
    dialog = page.get_by_role("dialog", name="Cook Soup")
    await expect(dialog).to_contain_text("Your unsaved changes are not part of it")
    # Closing the tab at the very moment of going on: the editor, which is still on the page, has no say any more.
    await page.evaluate("""() => {
        const push = history.pushState.bind(history);
        history.pushState = (...all) => {
            push(...all);
            window.askedAtOnce = !dispatchEvent(new Event("beforeunload", { cancelable: true }));
        };
    }""")
    await dialog.get_by_role("button", name="Cook", exact=True).click()
    await page.wait_for_url("**/runs/*")
    assert await page.evaluate("window.askedAtOnce") is False
    assert asked == []

    await page.goto(room.address("/recipes/soup"))
    await page.get_by_role("region", name="Unsaved work").get_by_role("button", name="Restore").click()
    await page.get_by_role("button", name="Save and cook").click()
    await expect(page.get_by_role("dialog", name="Cook Soup")).to_contain_text("version 2")
    await page.get_by_role("dialog").get_by_role("button", name="Cook", exact=True).click()
    await page.wait_for_url("**/runs/*")
    assert asked == []
    assert await prompts(room) == ["version 2", "version 1"]


async def test_every_wrong_input_is_marked_in_the_order_of_the_author(room: Room) -> None:
    await new_recipe(room, inputs=INPUTS)
    page = await room.open("/recipes?cook=soup")
    dialog = page.get_by_role("dialog", name="Cook Soup")
    await expect(dialog.locator("label")).to_have_text(["title", "count", "cfgoptional"])
    await dialog.get_by_label("cfg").fill("{half")

    await dialog.get_by_role("button", name="Cook", exact=True).click()

    await expect(dialog.locator('[aria-invalid="true"]')).to_have_count(3)
    await expect(dialog.get_by_label("title")).to_be_focused()


async def test_an_agent_that_is_not_ready_is_told_on_the_card_and_activated_in_the_dialog(room: Room) -> None:
    await new_recipe(room, is_ready=False)
    page = await room.open("/recipes")
    await expect(page.get_by_role("listitem").filter(has_text="Soup")).to_contain_text("Not ready: Cook is inactive")
    await page.get_by_role("button", name="Cook Soup").click()
    dialog = page.get_by_role("dialog", name="Cook Soup")

    assert (await Axe().run(page)).response["violations"] == []
    await dialog.get_by_role("button", name="Activate Cook").click()
    await dialog.get_by_role("button", name="Cook", exact=True).click()

    await page.wait_for_url("**/runs/*")


async def test_a_sample_taken_in_this_workspace_is_made_and_cooked_in_this_workspace(room: Room) -> None:
    page = await room.open("/recipes")
    await page.get_by_role("link", name="Start from a sample").click()
    await page.get_by_role("button", name="Cook ").click()

    await page.wait_for_url(f"**/w/{room.slug}/runs/*")
    assert len((await room.call("GET", "/api/runs"))["items"]) == 1
    assert len((await room.call("GET", "/api/workflow-recipes"))["items"]) == 1
    await page.goto(room.address("/recipes"))
    await page.get_by_role("link", name="Samples").click()
    await expect(page.get_by_text("This workspace has it already.")).to_be_visible()


async def test_a_default_outlives_a_change_of_type_and_versions_duplicate_and_export_are_at_hand(room: Room) -> None:
    await new_recipe(room, inputs={"count": {"type": "integer", "default": 3}})
    page = await room.open("/recipes/soup")
    default = page.get_by_role("group", name="Input 1").get_by_label("Default")
    await page.get_by_role("group", name="Input 1").get_by_label("Type").select_option("string")
    await expect(default).to_have_value("3")
    await page.get_by_role("button", name="Save changes").click()
    await expect(page.get_by_text("Saved as version 2.")).to_be_visible()
    stored = await room.call("GET", "/api/workflow-recipes/soup")
    assert stored["inputs"]["count"] == {"type": "string", "required": False, "default": "3", "description": ""}

    await page.get_by_role("tab", name="Versions").click()
    await page.get_by_role("button", name="Compare version 1").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Input count: type")
    await page.get_by_role("dialog").get_by_role("button", name="Restore into the form").click()
    await expect(page.get_by_role("region", name="Unsaved changes")).to_be_visible()
    await page.get_by_role("button", name="Discard").click()

    await page.get_by_role("button", name="More").click()
    async with page.expect_download() as download:
        await page.get_by_role("menuitem", name="Export as YAML").click()
    assert (await download.value).suggested_filename == "soup.yaml"
    await page.get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name="Duplicate").click()
    await expect(page.get_by_label("Name").first).to_have_value("Copy of Soup")
    await page.get_by_role("button", name="Create recipe").click()
    await expect(page.get_by_role("heading", name="Copy of Soup", level=1)).to_be_visible()


