"""Signing in at an OpenID Connect provider: the whole way a browser goes, over real sockets, and its bent turns."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from automatos.workspaces import issuer as issuer_module
from automatos.workspaces.oidc_router import own_path
from tests.fakes.issuer import SigningKey
from tests.fakes.oidc_provider import Provider, running_provider

BEGIN = "/api/auth/oidc/sign-in"
ADA = {"sub": "ada-1", "email": "ada@example.org", "email_verified": True, "name": "Ada Lovelace"}
KEYCLOAK = ADA | {"preferred_username": "ada", "typ": "ID", "azp": "automatos", "sid": "s"}
ENTRA = {"sub": "pairwise", "oid": "11", "tid": "11111111-2222-3333-4444-555555555555", "ver": "2.0",
         "preferred_username": "ada@example.org", "email": "ada@example.org", "name": "Ada Lovelace"}


@dataclass
class Browser:
    """Follows redirects by hand, with a cookie jar, between a server and its provider."""

    site: Any
    http: aiohttp.ClientSession
    provider: Provider

    async def begin(self, next_path: str = "/") -> str:
        """Return the provider's address that sign-in leads to."""
        return await self.location(self.address(BEGIN), params={"next": next_path})

    async def login(self, url: str, user: str) -> str:
        """Type a name at the provider's page and return where it leads back to."""
        async with self.http.get(url) as page:
            assert page.status == 200, await page.text()
        async with self.http.post(url, data={"user": user}, allow_redirects=False) as back:
            return back.headers["Location"]

    async def location(self, url: str, **options: Any) -> str:
        async with self.http.get(url, allow_redirects=False, **options) as answer:
            assert answer.status == 303, await answer.text()
            assert answer.headers["Cache-Control"] == "no-store"
            return answer.headers["Location"]

    async def whole(self, user: str = "ada", next_path: str = "/") -> str:
        """Go the whole way and return the page it ends at."""
        return await self.location(await self.login(await self.begin(next_path), user))

    async def me(self) -> dict[str, Any]:
        async with self.http.get(self.address("/api/auth/me")) as answer:
            return await answer.json()

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.site.port}{path}"


@pytest.fixture
async def signing_in(serve):
    """Start a server that trusts a provider, and a browser between the two."""
    open_parts: list[Any] = []

    async def start(settings: dict[str, Any] | None = None, **options: Any) -> Browser:
        running = running_provider(**options)
        provider = await running.__aenter__()
        open_parts.append(lambda: running.__aexit__(None, None, None))
        provider.people["ada"] = dict(ADA)
        site = await serve(**{
            "oidc_issuer": provider.issuer, "oidc_client_id": provider.client_id, "oidc_name": "Acme",
            "oidc_client_secret": provider.client_secret, **(settings or {}),
        })
        provider.redirect_uris = [f"http://127.0.0.1:{site.port}/api/auth/oidc/callback"]
        http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        open_parts.append(http.close)
        return Browser(site, http, provider)

    yield start
    for close in reversed(open_parts):
        await close()


@pytest.mark.capability("S155")
@pytest.mark.parametrize(("layout", "claims", "email"), [
    ("keycloak", KEYCLOAK, "ada@keycloak.example"), ("entra", ENTRA, None),
    ("authentik", ADA, "ada@authentik.example"),
])
async def test_a_person_signs_in_with_a_cookie_of_ours(signing_in, layout: str, claims: Any, email: str | None) -> None:
    browser = await signing_in(layout=layout)
    browser.provider.people["ada"] = claims | {"sub": f"{layout}-1", "email": f"ada@{layout}.example"}

    assert await browser.whole(next_path="/w/x/runs?tab=1") == "/w/x/runs?tab=1"

    me = await browser.me()
    assert (me["auth_method"], me["user"]["name"], me["user"]["email"]) == ("session", "Ada Lovelace", email)
    async with browser.http.get(browser.address("/api/auth/config")) as answer:
        config = await answer.json()
    assert (config["mode"], config["provider"], config["needs_setup"]) == ("oidc", "Acme", False)
    cookies = {cookie.key: cookie for cookie in browser.http.cookie_jar}
    assert cookies["automatos_session"]["httponly"]
    assert not [name for name in cookies if name.startswith("automatos_oidc_")]


async def test_the_request_carries_state_nonce_and_a_hashed_verifier(signing_in) -> None:
    browser = await signing_in()

    first, second = [parse_qs(urlsplit(await browser.begin()).query) for _ in range(2)]

    assert first["code_challenge_method"] == ["S256"]
    assert len({query[name][0] for query in (first, second) for name in ("state", "nonce", "code_challenge")}) == 6
    assert "client_secret" not in first


@pytest.mark.parametrize(("options", "method"), [
    ({}, "basic"), ({"auth_methods": ["client_secret_post"]}, "post"), ({"client_secret": None}, "none"),
    ({"client_secret": "p@ss:w%rd &+ü"}, "basic"),
])
async def test_clients_with_and_without_a_secret(signing_in, options: dict[str, Any], method: str) -> None:
    browser = await signing_in(**options)

    assert await browser.whole() == "/"
    assert browser.provider.asked == [method]


@pytest.mark.parametrize(("bend", "reason"), [
    ({"nonce": "another"}, "token_refused"), ({"nonce": None}, "token_refused"), ({"aud": "other"}, "token_refused"),
    ({"iss": "https://evil.example"}, "token_refused"), ({"azp": "other"}, "token_refused"),
    ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "token_refused"), ({"sub": ""}, "account_refused|token_refused"),
    ({"exp": 1_000_000_000}, "clock_skew"), ({"workspace_id": "7"}, "token_refused"),
])
async def test_a_bent_token_signs_nobody_in(signing_in, bend: dict[str, Any], reason: str) -> None:
    browser = await signing_in()
    browser.provider.bend = bend

    page = urlsplit(await browser.whole(next_path="/w/x"))

    assert (page.scheme, page.netloc, page.path) == ("", "", "/sign-in")
    assert re.fullmatch(reason, parse_qs(page.query)["problem"][0])
    assert parse_qs(page.query)["next"] == ["/w/x"]
    assert (await browser.me())["code"] == "not_signed_in"


@pytest.mark.parametrize("clock_s", [-3600, 3600])
async def test_clocks_that_differ_are_told_as_such(signing_in, clock_s: int, capfd) -> None:
    browser = await signing_in(clock_s=clock_s)

    assert "problem=clock_skew" in await browser.whole()
    assert "this server's clock" in capfd.readouterr().err


async def test_a_code_and_a_state_serve_once_and_only_the_browser_that_began(signing_in) -> None:
    browser = await signing_in()
    back = await browser.login(await browser.begin(), "ada")
    async with aiohttp.ClientSession() as other, other.get(back, allow_redirects=False) as answer:
        assert "problem=sign_in_expired" in answer.headers["Location"]

    assert await browser.location(back) == "/"
    assert "problem=sign_in_expired" in await browser.location(back)
    assert "problem=sign_in_expired" in await browser.location(re.sub(r"state=[^&]+", "state=forged", back))


async def test_two_tabs_sign_in_side_by_side(signing_in) -> None:
    browser = await signing_in()
    first, second = await browser.begin("/one"), await browser.begin("/two")

    assert await browser.location(await browser.login(second, "ada")) == "/two"
    assert await browser.location(await browser.login(first, "ada")) == "/one"


async def test_what_the_provider_refuses_is_told_without_its_words_in_the_address(signing_in) -> None:
    browser = await signing_in()

    page = await browser.location(await browser.login(await browser.begin(), "nobody"))
    assert page == "/sign-in?problem=access_denied"
    browser.provider.client_secret = "changed"
    assert await browser.whole() == "/sign-in?problem=provider_refused"


@pytest.mark.parametrize(("described", "reason"), [
    ({"issuer": "https://other.example"}, "provider_misconfigured"),
    ({"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0"}, "provider_misconfigured"),
    ({"token_endpoint": None}, "provider_misconfigured"),
])
async def test_a_provider_that_is_another_one_is_not_asked(signing_in, described: Any, reason: str) -> None:
    browser = await signing_in(described=described)

    assert await browser.begin() == f"/sign-in?problem={reason}"


async def test_a_provider_that_is_away_is_asked_again_later(signing_in) -> None:
    browser = await signing_in(is_down=True)
    assert await browser.begin() == "/sign-in?problem=provider_unavailable"

    browser.provider.is_down = False
    assert await browser.whole() == "/"


async def test_a_provider_that_begins_anew_with_other_keys_is_believed(signing_in, monkeypatch) -> None:
    browser = await signing_in()
    assert await browser.whole() == "/"

    browser.provider.keys = [SigningKey.elliptic("second")]
    monkeypatch.setattr(issuer_module, "UNKNOWN_KEY_COOLDOWN_S", 0)
    browser.site.services.authenticator.oidc._keys._client.cooldown_duration = 0
    assert await browser.whole() == "/"
    browser.provider.keys = [SigningKey.rsa("second")]  # the old id, another key
    assert await browser.whole() == "/"


@pytest.mark.parametrize("next_path", [
    "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "javascript:alert(1)", "/ x", "",
    "/ok\nSet-Cookie: x=1", "\\\\evil.example",
])
def test_nothing_leads_to_another_site(next_path: str) -> None:
    assert own_path(next_path) == "/"


async def test_bearer_tokens_of_the_provider_are_taken_when_they_are_for_us(signing_in) -> None:
    browser = await signing_in()
    for claims, status in (({}, 200), ({"aud": "account", "azp": "automatos"}, 200), ({"aud": "other"}, 401),
                           ({"aud": ["other"], "azp": "other"}, 401)):
        token = browser.provider.id_token(sub="robot", **claims)
        headers = {"Authorization": f"Bearer {token}"}
        async with browser.http.get(browser.address("/api/auth/me"), headers=headers) as answer:
            assert answer.status == status, await answer.text()


async def test_signing_out_ends_both_sessions(signing_in) -> None:
    browser = await signing_in()
    await browser.whole()
    ours = {"X-Requested-With": "automatos"}

    async with browser.http.post(browser.address("/api/auth/oidc/sign-out")) as answer:
        assert answer.status == 403
    async with browser.http.post(browser.address("/api/auth/oidc/sign-out"), headers=ours) as answer:
        url = (await answer.json())["url"]

    assert url.startswith(browser.provider.endpoint(4))
    async with browser.http.get(url, allow_redirects=False) as answer:
        assert answer.headers["Location"] == browser.address("/sign-in")
    assert browser.provider.asked[-1] == "logout with hint"
    assert (await browser.me())["code"] == "not_signed_in"


async def test_a_provider_without_a_sign_out_page_leads_to_ours(signing_in) -> None:
    browser = await signing_in(described={"end_session_endpoint": None})
    await browser.whole()

    async with browser.http.post(browser.address("/api/auth/oidc/sign-out"),
                                 headers={"X-Requested-With": "automatos"}) as answer:
        assert (await answer.json())["url"] == browser.address("/sign-in")
