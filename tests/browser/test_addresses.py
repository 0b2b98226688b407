"""Addresses that lead nowhere, and pages whose code cannot be fetched: told in words, with the app still there."""

import asyncio

import pytest
from playwright.async_api import Route, ViewportSize, expect

from tests.browser.conftest import PHONE, Room, Site

SHELL = "Main"


@pytest.mark.parametrize(("path", "title"), [
    ("/nope", "There is no page at this address"),
    ("/recipes/soup/nope", "There is no page at this address"),
    ("/runs/nope", "There is no run “nope”"),
    ("/agents/nope", "There is no agent “nope”"),
    ("/agents/0/settings", "There is no agent “0”"),
    ("/skills/nope", "There is no skill “nope”"),
])
async def test_an_address_that_leads_nowhere_says_so_inside_the_workspace(room: Room, path: str, title: str) -> None:
    page = await room.open(path)
    await expect(page.get_by_role("heading", level=1)).to_have_text(title)
    await expect(page.get_by_role("navigation", name=SHELL)).to_be_visible()
    await expect(page.get_by_role("alert")).to_be_hidden()


async def test_an_unknown_workspace_is_not_silently_another_one(room: Room, site: Site) -> None:
    page = await room.context.new_page()
    await page.goto(f"{site.server.url}/w/not-mine/recipes")
    await expect(page.get_by_role("heading", level=1)).to_have_text("You have no workspace “not-mine”")
    await page.get_by_role("list", name="Your workspaces").get_by_role("link", name="Ada Lovelace").click()
    await expect(page.get_by_role("heading", name="Recipes", level=1)).to_be_visible()


@pytest.mark.parametrize(("path", "first"), [("/skills?tab=zzz", "Library"), ("/agents/{agent}?tab=zzz", "Overview")])
async def test_an_unknown_tab_is_the_first(room: Room, path: str, first: str) -> None:
    agent = await room.agent("Tabbed")
    page = await room.open(path.format(agent=agent["id"]))
    await expect(page.get_by_role("tab", name=first)).to_have_attribute("aria-selected", "true")


async def test_the_wizards_address_goes_no_further_than_the_wizard(room: Room) -> None:
    page = await room.open("/agents/new?step=5")
    await expect(page.get_by_role("heading", name="Basics")).to_be_visible()
    await expect(page).to_have_url(room.address("/agents/new?step=1"))
    await page.get_by_label("Name").fill("Held back")
    await page.get_by_label("Category").first.select_option(index=1)
    await expect(page.get_by_role("heading", name="Basics")).to_be_visible()


async def test_while_the_server_is_away_going_to_a_page_keeps_the_app(room: Room) -> None:
    away = asyncio.Event()

    async def unplugged(route: Route) -> None:
        await (route.abort() if away.is_set() else route.continue_())

    page = await room.context.new_page()
    # Nothing is fetched ahead here, as just after the first page.
    await page.add_init_script("window.requestIdleCallback = () => 0")
    await page.route("**/*", unplugged)
    await page.goto(room.address("/recipes"))
    await expect(page.get_by_role("heading", name="Recipes", level=1)).to_be_visible()
    away.set()
    await page.get_by_role("link", name="Skills").click()
    await expect(page.get_by_role("alert")).to_contain_text("No answer from the server")
    await expect(page.get_by_role("navigation", name=SHELL)).to_be_visible()

    away.clear()
    await page.get_by_role("button", name="Try again").click()

    await expect(page.get_by_role("heading", name="Skills", level=1)).to_be_visible()


async def test_the_code_of_all_pages_is_there_before_it_is_wanted(room: Room) -> None:
    page = await room.context.new_page()
    async with page.expect_request(lambda request: "personas-edit" in request.url):
        await page.goto(room.address("/recipes"))


async def test_after_an_update_of_the_server_the_page_is_loaded_again_once(room: Room) -> None:
    page = await room.context.new_page()
    await page.add_init_script("window.requestIdleCallback = () => 0")
    missing = 0

    async def gone(route: Route) -> None:
        nonlocal missing
        missing += 1
        await route.fulfill(status=404, body="")

    await page.route("**/assets/skills-*.js", gone)
    loads: list[str] = []
    page.on("domcontentloaded", lambda loaded: loads.append(loaded.url))
    await page.goto(room.address("/recipes"))
    async with page.expect_event("domcontentloaded"):
        await page.get_by_role("link", name="Skills").click()
    await expect(page.get_by_role("alert")).to_contain_text("This page is out of date")
    await expect(page).to_have_url(room.address("/skills"))
    assert len(loads) == 2
    await page.unroute("**/assets/skills-*.js")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("heading", name="Skills", level=1)).to_be_visible()
    assert missing >= 2


LOW: ViewportSize = {"width": 720, "height": 450}


async def test_on_a_phone_the_tab_of_personas_is_lit_and_low_screens_keep_their_height(room: Room) -> None:
    page = await room.context.new_page()
    await page.set_viewport_size(PHONE)
    await page.goto(room.address("/personas"))
    bar = page.get_by_role("navigation", name=SHELL).last
    await expect(bar.get_by_role("link", name="Agents")).to_have_attribute("aria-current", "page")
    await page.get_by_role("button", name="switch").click()
    box = await page.get_by_role("menu").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    await page.keyboard.press("Escape")

    await page.set_viewport_size(LOW)
    low = await bar.bounding_box()
    assert low is not None
    assert low["height"] <= 50


async def test_the_dot_says_offline_while_the_browser_is(room: Room) -> None:
    page = await room.open("/recipes")
    await expect(page.get_by_text("Live", exact=True).first).to_be_visible()
    await room.context.set_offline(True)
    await expect(page.get_by_text("Offline", exact=True).first).to_be_visible()
    await room.context.set_offline(False)
    await expect(page.get_by_text("Live", exact=True).first).to_be_visible()
