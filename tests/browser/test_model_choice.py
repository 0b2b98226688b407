"""A model of one's own: its key is stored, its provider's own list is offered, one is chosen, and it answers."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import OWNER, WIDE, call, call_until_over, watched
from tests.chaos.harness import stage
from tests.fakes.model_server import ModelServer

NAMES = [f"house/model-{number}:latest" for number in range(1, 23)]


class HouseServer(ModelServer):
    """A compatible server with models that no catalogue knows."""

    async def _models(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"object": "list", "data": [{"id": name, "object": "model"} for name in NAMES]})


@pytest.fixture(scope="module")
async def house() -> AsyncIterator[ModelServer]:
    async with HouseServer() as server:
        yield server


async def choose(page: Page, label: str, typed: str, option: str) -> None:
    await page.get_by_role("combobox", name=label).first.click()
    await page.get_by_placeholder("Search models, or type a name").fill(typed)
    await page.get_by_role("option", name=option).click()


async def test_from_the_set_up_of_a_server_of_ones_own_to_its_first_answer(
    chromium: Browser, house: ModelServer
) -> None:
    async with stage() as opened:
        server = await opened.start_server(variables={"AUTOMATOS_ALLOW_PRIVATE_URLS": "true"})
        async with watched(chromium, server, viewport=WIDE) as context:
            await call(context, server, "POST", "/api/setup", OWNER)
            page = await context.new_page()
            await page.goto(f"{server.url}/setup")
            await page.get_by_role("button", name="Add a provider").click()
            await page.get_by_role("combobox", name="Provider").select_option("Other (OpenAI-compatible)")
            await page.get_by_label("Base URL").fill(house.base_url)
            await page.get_by_role("button", name="Test").click()
            await expect(page.get_by_role("status")).to_contain_text("offers 22 models")
            await page.get_by_role("button", name="Save key").click()

            await expect(page.get_by_text("it offers 22 models")).to_be_visible()
            await choose(page, "Default model", "model-17", "house/model-17:latest")
            await page.get_by_role("button", name="Use as the default").click()
            await page.get_by_role("button", name="Cook ").first.click()
            await page.wait_for_url("**/runs/*")
            await expect(page.get_by_role("region", name="Result")).to_be_visible(timeout=30_000)

            assert {each.model for each in house.calls} == {"house/model-17:latest"}
            await expect(page.get_by_role("main")).to_contain_text("house/model-17:latest")


async def test_a_key_stored_under_settings_leads_to_the_default_to_an_agent_and_to_a_run(
    chromium: Browser, house: ModelServer
) -> None:
    house.reset()
    async with stage() as opened:
        server = await opened.start_server(variables={"AUTOMATOS_ALLOW_PRIVATE_URLS": "true"})
        async with watched(chromium, server, viewport=WIDE) as context:
            me = await call(context, server, "POST", "/api/setup", OWNER)
            home = f"{server.url}/w/{me['workspaces'][0]['slug']}"
            page = await context.new_page()
            await page.goto(f"{home}/settings/credentials?view=new")
            sheet = page.get_by_role("dialog")
            await sheet.get_by_role("combobox", name="Kind").select_option("Other (OpenAI-compatible)")
            await sheet.get_by_label("Base URL").fill(house.base_url)
            await sheet.get_by_role("button", name="Save").click()
            await expect(page.get_by_role("dialog", name="Use it as the default?")).to_be_visible()
            await choose(page, "Default model", "model-3", "house/model-3:latest")
            await page.get_by_role("button", name="Use as the default").click()
            await expect(page.get_by_role("dialog")).to_have_count(0)

            await page.goto(f"{home}/settings/models")
            await expect(page.get_by_role("combobox", name="Model").first).to_contain_text("house/model-3:latest")
            await expect(page.get_by_text("Answers, 22 models")).to_be_visible()
            # A name that nobody lists can be typed.
            await choose(page, "Model", "house/unlisted", "Use “house/unlisted” of Other")
            await expect(page.get_by_role("combobox", name="Model").first).to_contain_text("house/unlisted")
            assert (await call(context, server, "GET", "/api/models/default"))["model_id"] == "house/unlisted"

            agent = await call(context, server, "POST", "/api/agents", {"name": "Own model", "activate": True})
            await page.goto(f"{home}/agents/{agent['id']}/settings/model")
            await page.get_by_role("combobox", name="Provider").select_option("Other (OpenAI-compatible)")
            await choose(page, "Model", "model-22", "house/model-22:latest")
            await page.get_by_role("button", name="Save").click()
            await page.get_by_role("dialog").get_by_role("button", name="Save").click()
            await expect(page.get_by_role("dialog")).to_have_count(0)
            task = await call(context, server, "POST", f"/api/agents/{agent['id']}/execute", {"prompt": "Hello"})
            await call_until_over(context, server, task["execution_id"])

            assert [each.model for each in house.calls] == ["house/model-22:latest"]
            await page.goto(f"{home}/agents/new?from={agent['id']}&step=3")
            await expect(page.get_by_role("combobox", name="Model house")).to_contain_text("house/model-22:latest")


@pytest.mark.parametrize(("protocol", "path"), [
    ("auto", "/v1/chat/completions"), ("messages", "/v1/messages"), ("responses", "/v1/responses")])
async def test_the_protocol_of_a_key_is_the_wire_its_models_are_asked_over(
    chromium: Browser, house: ModelServer, protocol: str, path: str
) -> None:
    house.reset()
    house.serves_responses = True
    async with stage() as opened:
        server = await opened.start_server(variables={"AUTOMATOS_ALLOW_PRIVATE_URLS": "true"})
        async with watched(chromium, server, viewport=WIDE) as context:
            me = await call(context, server, "POST", "/api/setup", OWNER)
            page = await context.new_page()
            await page.goto(f"{server.url}/w/{me['workspaces'][0]['slug']}/settings/credentials?view=new")
            sheet = page.get_by_role("dialog")
            await sheet.get_by_role("combobox", name="Kind").select_option("Other (OpenAI-compatible)")
            await sheet.get_by_label("Base URL").fill(house.base_url)
            await expect(sheet.get_by_label("Protocol")).to_have_value("auto")
            await sheet.get_by_label("Protocol").select_option(protocol)
            await sheet.get_by_role("button", name="Save").click()
            await expect(page.get_by_role("dialog", name="Use it as the default?")).to_be_visible()
            body = {"name": "Asker", "activate": True,
                    "model_config": {"provider": "custom", "model_id": "house/model-1:latest"}}
            agent = await call(context, server, "POST", "/api/agents", body)
            task = await call(context, server, "POST", f"/api/agents/{agent['id']}/execute", {"prompt": "Hello"})
            await call_until_over(context, server, task["execution_id"])

            assert [each.path for each in house.calls] == [path]
            stored = (await call(context, server, "GET", "/api/credentials"))["items"][0]
            await page.goto(f"{page.url.partition('?')[0]}?view={stored['id']}")
            await expect(page.get_by_role("dialog").get_by_label("Protocol")).to_have_value(protocol)
