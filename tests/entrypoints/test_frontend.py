"""The web app: its page for every address inside it, its files, and never a page in place of a lost file."""

import base64
import gzip
from pathlib import Path

import pytest
from fastapi import FastAPI
from yarl import URL

from automatos.entrypoints.frontend import WebApp
from automatos.entrypoints.headers import page_policy
from automatos.kernel.config import Settings

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGE = "<!doctype html><title>App</title><script>dark()</script><script src='/assets/app.js'></script>"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    root = tmp_path / "static"
    (root / "assets").mkdir(parents=True)
    (root / "index.html").write_text(PAGE)
    (root / "assets" / "app.js").write_text("let a = 1;")
    (root / "assets" / "app.js.gz").write_bytes(gzip.compress(b"let a = 1;"))
    (root / "favicon.svg").write_text("<svg/>")
    (root / ".ui-digest").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    return root


@pytest.fixture
async def site(serve, build: Path):
    def use_build(app: FastAPI) -> None:
        app.state.web_app = app.router.default = WebApp(app.state.settings, build)

    return await serve(use_build)


@pytest.mark.parametrize("path", ["/", "/agents", "/w/one/runs/0199-aa?span=3", "/setup", "/apiary"])
async def test_every_address_of_the_app_gets_its_page(site, path: str) -> None:
    async with site.get(path, headers=BROWSER) as response:
        assert (response.status, response.content_type, await response.text()) == (200, "text/html", PAGE)
        assert response.headers["cache-control"] == "no-cache"
        policy = response.headers["content-security-policy"]
    assert "script-src 'self' 'sha256-" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert "frame-ancestors 'none'" in policy


async def test_assets_never_change_and_travel_packed_when_the_client_can(site) -> None:
    for accept, encoding in (("gzip, br", "gzip"), ("identity", None)):
        async with site.get("/assets/app.js", headers={"Accept-Encoding": accept}) as response:
            assert await response.text() == "let a = 1;"
            assert response.headers.get("content-encoding") == encoding
            assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert response.headers["vary"] == "Accept-Encoding, Origin"
            assert response.content_type in {"text/javascript", "application/javascript"}
    async with site.http.head("/assets/app.js") as response:
        assert response.status == 200


async def test_other_files_are_asked_for_again(site) -> None:
    async with site.get("/favicon.svg") as response:
        assert (response.content_type, response.headers["cache-control"]) == ("image/svg+xml", "no-cache")


@pytest.mark.parametrize("path", [
    "/assets/lost.js", "/assets/", "/assets", "/lost.css", "/.ui-digest", "/link.txt", "/..%2foutside.txt",
    "/assets/..%2f..%2foutside.txt", "/assets/%2e%2e/%2e%2e/outside.txt", "/assets/..\\..\\outside.txt", "/index.html",
    "/%2fetc%2fpasswd.txt", "/api/lost", "/api",
])
async def test_a_lost_or_hidden_file_is_404_and_never_a_page(site, path: str) -> None:
    async with site.get(URL(path, encoded=True), headers=BROWSER) as response:
        text = await response.text()
        assert response.status == 404
        assert "secret" not in text
        assert "root:" not in text


async def test_programs_get_404_where_browsers_get_a_page_and_nobody_posts_to_pages(site) -> None:
    async with site.get("/agents", headers={"Accept": "application/json"}) as response:
        assert (response.status, response.content_type) == (404, "application/problem+json")
    async with site.post("/agents", headers=BROWSER) as response:
        assert response.status == 404


async def test_without_a_build_the_page_says_how_to_make_one(serve, tmp_path: Path) -> None:
    def use_nothing(app: FastAPI) -> None:
        app.state.web_app = app.router.default = WebApp(app.state.settings, tmp_path / "none")

    site = await serve(use_nothing)
    async with site.get("/", headers=BROWSER) as response:
        assert response.status == 200
        assert "npm run build" in await response.text()


def key_for(host: str) -> str:
    return "pk_test_" + base64.b64encode(f"{host}$".encode()).decode().rstrip("=")


def test_only_the_host_of_a_clerk_key_joins_the_policy_and_nothing_can_be_smuggled_in() -> None:
    settings = Settings(clerk_publishable_key=key_for("happy-cat-1.clerk.accounts.dev"))
    assert "script-src 'self' https://happy-cat-1.clerk.accounts.dev;" in page_policy(settings, "")
    assert "clerk" not in page_policy(Settings(), "")
    for host in ("evil.example; script-src *", "a b.example", "*", "x' 'unsafe-inline"):
        assert page_policy(Settings(clerk_publishable_key=key_for(host)), "") == page_policy(Settings(), "")
