"""A real Chromium in front of a real server: what every browser test may use."""

import re
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.async_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    Request,
    ViewportSize,
    async_playwright,
    expect,
)

from tests.chaos.harness import stage
from tests.chaos.processes import Server
from tests.fakes.model_calls import Reply
from tests.fakes.model_server import ModelServer

OWNER = {"email": "ada@example.com", "name": "Ada Lovelace", "password": "correct horse battery"}
SAMPLE = Path(__file__).parents[2] / "examples/recipes/research-digest.yaml"
STATIC = Path(__file__).parents[2] / "src/automatos/static/index.html"
WIDE: ViewportSize = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 60_000
"""How long what must come may take before a test gives up; nothing is proved by being quicker."""

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("there is no Chromium here")
    if not STATIC.is_file():
        pytest.skip("the web app is not built; run `python hatch_build.py`")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--disable-dev-shm-usage"])
        yield browser
        await browser.close()


@dataclass
class Site:
    """A server with an owner, the sample recipe, and one finished run of it."""

    server: Server
    workspace: str
    run_id: str
    cookies: Any

    def address(self, path: str) -> str:
        """Return the whole address of a page of the workspace."""
        return f"{self.server.url}/w/{self.workspace}{path}"


async def call(
    context: BrowserContext, server: Server, method: str, path: str, body: Any = None, *, workspace: str | None = None
) -> Any:
    """Call the API as the web app does, with the context's cookie, in the named workspace or the caller's first."""
    headers = {"X-Requested-With": "automatos"} | ({"X-Workspace-Id": workspace} if workspace else {})
    answer = await context.request.fetch(f"{server.url}{path}", method=method, data=body, headers=headers)
    assert answer.ok, f"{method} {path}: {answer.status} {await answer.text()}"
    return await answer.json() if await answer.body() else None


@dataclass
class Room:
    """A workspace of one test alone: a browser in it, and a second client beside it through the API."""

    server: Server
    context: BrowserContext
    id: str
    slug: str

    def address(self, path: str) -> str:
        """Return the whole address of a page of the workspace."""
        return f"{self.server.url}/w/{self.slug}{path}"

    async def open(self, path: str) -> Page:
        """Open a page of the workspace in a new tab."""
        page = await self.context.new_page()
        await page.goto(self.address(path))
        return page

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Do something in the workspace as somebody else would, without the browser's page knowing."""
        return await call(self.context, self.server, method, path, body, workspace=self.id)

    async def agent(self, name: str, *, activate: bool = True, **fields: Any) -> dict[str, Any]:
        """Make an agent."""
        return await self.call("POST", "/api/agents", {"name": name, "activate": activate} | fields)


@asynccontextmanager
async def new_room(chromium: Browser, server: Server, cookies: Any, **options: Any) -> AsyncIterator[Room]:
    """Make a workspace and open a browser in it."""
    async with watched(chromium, server, storage_state=cookies, **({"viewport": WIDE} | options)) as context:
        made = await call(context, server, "POST", "/api/workspaces", {"name": f"Room {secrets.token_hex(3)}"})
        yield Room(server, context, made["id"], made["slug"])


@pytest.fixture(scope="session")
async def site(chromium: Browser) -> AsyncIterator[Site]:
    async with stage() as opened:
        server = await opened.start_server(variables={"AUTOMATOS_DEMO_DELAY_MS": "60"})
        context = await chromium.new_context()
        context.set_default_timeout(PATIENCE_MS)
        me = await call(context, server, "POST", "/api/setup", OWNER)
        await call(context, server, "POST", "/api/workflow-recipes/apply", yaml.safe_load(SAMPLE.read_text()))
        started = await call(
            context, server, "POST", "/api/workflow-recipes/research-digest/execute", {"input_data": {}})
        run_id = started["recipe_execution_id"]
        await call_until_over(context, server, run_id)
        yield Site(server, me["workspaces"][0]["slug"], run_id, await context.storage_state())
        await context.close()


async def close_by_escape(page: Page, dialog: Locator) -> None:
    """Press Escape over an open dialog, and wait until it is gone.

    A dialog listens to the keyboard only once it was drawn a second time, as its style shows; before that, the key is
    lost, or goes to the dialog below.
    """
    await expect(dialog).to_have_attribute("style", re.compile("pointer-events: auto"))
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()


async def call_until_over(
    context: BrowserContext, server: Server, run_id: str, *, workspace: str | None = None
) -> None:
    """Wait for a run to end, in the named workspace or the caller's first: its own stream ends with it."""
    headers = {"X-Workspace-Id": workspace} if workspace else {}
    answer = await context.request.get(f"{server.url}/api/runs/{run_id}/events", timeout=60_000, headers=headers)
    assert answer.ok, await answer.text()


Opener = Callable[..., Awaitable[Page]]


@asynccontextmanager
async def watched(chromium: Browser, server: Server, **options: Any) -> AsyncIterator[BrowserContext]:
    """A browser context in which no page may report an error or send a request to another host."""
    complaints: list[str] = []
    context = await chromium.new_context(**options)
    context.set_default_timeout(PATIENCE_MS)

    def sent(request: Request) -> None:
        if not request.url.startswith((server.url, "data:", "blob:")):
            complaints.append(f"request to another host: {request.url}")

    context.on("request", sent)
    context.on("weberror", lambda error: complaints.append(f"script error: {error.error}"))
    context.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    yield context
    await context.close()
    # A refusal of the server is logged by the browser too; pages show it, and tests look at that.
    assert [each for each in complaints if "Failed to load resource" not in each] == []


@pytest.fixture
async def room(chromium: Browser, site: Site) -> AsyncIterator[Room]:
    """A workspace of this test alone, with the owner's browser in it."""
    async with new_room(chromium, site.server, site.cookies) as made:
        yield made


@pytest.fixture
async def browsing(chromium: Browser, site: Site) -> AsyncIterator[BrowserContext]:
    """The owner's browser, wide and light."""
    async with watched(chromium, site.server, viewport=WIDE, storage_state=site.cookies) as context:
        yield context


@dataclass
class Stand:
    """A server whose model says what a test wants it to say, when it wants it."""

    server: Server
    model: ModelServer
    context: BrowserContext
    workspace: str

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        return await call(self.context, self.server, method, path, body)

    async def agent(self, name: str) -> int:
        body = {"name": name, "activate": True, "tools": ["calculator"]}
        return (await self.call("POST", "/api/agents", body))["id"]

    async def done(self, agent: int, *replies: Reply) -> Page:
        """Have an agent do a task that is answered so, and open the page of its run."""
        self.model.script(*replies)
        task = await self.call("POST", f"/api/agents/{agent}/execute", {"prompt": "Work."})
        await call_until_over(self.context, self.server, task["execution_id"])
        return await self.open(f"/runs/{task['execution_id']}")

    async def open(self, path: str) -> Page:
        """Open a page of the workspace in a new tab."""
        page = await self.context.new_page()
        await page.goto(f"{self.server.url}/w/{self.workspace}{path}")
        return page


@pytest.fixture(scope="module")
async def stand(chromium: Browser) -> AsyncIterator[Stand]:
    async with stage() as opened, ModelServer() as model:
        server = await opened.start_server(variables={
            "OPENAI_API_KEY": "sk-scripted", "OPENAI_BASE_URL": model.base_url, "DEFAULT_LLM_PROVIDER": "openai",
            "DEFAULT_LLM_MODEL": "fake-model"})
        async with watched(chromium, server, viewport=WIDE, reduced_motion="reduce") as context:
            me = await call(context, server, "POST", "/api/setup", OWNER)
            yield Stand(server, model, context, me["workspaces"][0]["slug"])
