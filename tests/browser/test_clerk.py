"""Sign-in through Clerk, with the provider's scripts played by a stub and its tokens signed by a fake issuer."""

import base64
import json

import pytest
from playwright.async_api import Browser, Route, expect

from tests.browser.conftest import WIDE
from tests.chaos.harness import stage
from tests.fakes.issuer import running_issuer

HOST = "clerk.automatos.test"
KEY = "pk_test_" + base64.b64encode(f"{HOST}$".encode()).decode()
STUB = """
(() => {
  const session = {id: "sess_1", status: "active", lastActiveToken: {jwt: {claims: {sub: "user_1", sid: "sess_1"}}},
                   getToken: async () => TOKEN, user: {id: "user_1"}};
  const resources = {client: {sessions: [session]}, session, user: session.user, organization: null};
  const listeners = new Set();
  window.Clerk = {
    ...resources, loaded: false, status: "loading", __internal_lastEmittedResources: resources,
    async load() { this.loaded = true; this.status = "ready"; listeners.forEach(tell => tell(resources)); },
    addListener(tell) { listeners.add(tell); tell(resources); return () => listeners.delete(tell); },
    on(name, tell) { tell("ready"); }, off() {}, signOut: async () => { location.href = "/sign-in"; },
    mountSignIn() {}, unmountSignIn() {}, isSignedIn: true,
  };
  window.__internal_ClerkUICtor = class {};
})();
"""


@pytest.mark.capability("S195")
async def test_trades_the_providers_token_for_a_session_and_sends_it_with_every_call(chromium: Browser) -> None:
    async with running_issuer() as issuer, stage() as opened:
        server = await opened.start_server(variables={
            "CLERK_PUBLISHABLE_KEY": KEY, "AUTOMATOS_CLERK_PUBLISHABLE_KEY": KEY,
            "AUTOMATOS_JWKS_URL": issuer.jwks_url, "AUTOMATOS_JWT_ISSUER": issuer.url,
        })
        token = issuer.token(email="ada@example.com", name="Ada Lovelace", exp=2_000_000_000)

        async def play(route: Route) -> None:
            await route.fulfill(content_type="text/javascript", body=STUB.replace("TOKEN", json.dumps(token)))

        context = await chromium.new_context(viewport=WIDE)
        await context.route(f"https://{HOST}/**", play)
        page = await context.new_page()
        carried: list[tuple[str | None, str | None]] = []
        page.on("request", lambda request: "/api/workflow-recipes" in request.url and carried.append(
            (request.headers.get("authorization"), request.headers.get("x-workspace-id"))))

        await page.goto(f"{server.url}/sign-in")

        await expect(page.get_by_role("heading", name="Recipes", level=1)).to_be_visible()
        me = await (await context.request.get(
            f"{server.url}/api/auth/me", headers={"Authorization": f"Bearer {token}"})).json()
        assert set(carried) == {(f"Bearer {token}", me["workspaces"][0]["id"])}
        assert any(cookie["name"] == "automatos_session" for cookie in await context.cookies())
        await context.close()
