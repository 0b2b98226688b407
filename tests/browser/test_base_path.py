"""The whole product below a path of somebody else's host, behind a real nginx that strips the path or leaves it."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Request, expect

from tests.browser.conftest import OWNER, WIDE
from tests.chaos.harness import stage
from tests.chaos.processes import free_port
from tests.cli.test_up import until_said

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr warn; {user} worker_processes 1; events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location /automatos/ {{
      proxy_pass http://127.0.0.1:{upstream}{strip}; proxy_http_version 1.1; proxy_buffering off;
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
    location / {{ return 404; }}
  }}
}}
"""


@contextmanager
def nginx(folder: Path, port: int, upstream: int, *, strips: bool) -> Iterator[None]:
    """Run nginx in front of a server for as long as the block lasts."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    if not Path(program).exists():
        pytest.skip("there is no nginx here")
    user = "user root;" if os.geteuid() == 0 else ""
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(folder=folder, port=port, upstream=upstream, user=user, strip="/" if strips else ""))
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(file)])
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


async def until_listening(port: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


@pytest.mark.parametrize("strips", [True, False], ids=["stripped", "left as it is"])
async def test_everything_works_below_a_path(chromium: Browser, tmp_path: Path, strips: bool) -> None:
    port, upstream = free_port(), free_port()
    outside = f"http://127.0.0.1:{port}"
    base = f"{outside}/automatos"
    async with stage() as opened:
        with nginx(tmp_path, port, upstream, strips=strips):
            server = await opened.start_server(port=upstream, variables={
                "AUTOMATOS_BASE_PATH": "/automatos/", "AUTOMATOS_PUBLIC_URL": base, "AUTOMATOS_DEMO_DELAY_MS": "5",
            })
            await until_listening(port)
            link = (await until_said(server, r"begin: (\S+/setup\?token=\S+)"))[1]
            assert link.startswith(f"{base}/setup?token=")
            astray: list[str] = []
            context = await chromium.new_context(viewport=WIDE)

            def sent(request: Request) -> None:
                if not request.url.startswith((f"{base}/", "data:", "blob:")):
                    astray.append(request.url)

            context.on("request", sent)
            page = await context.new_page()
            await page.goto(link)
            await page.get_by_label("Your name").fill(OWNER["name"])
            await page.get_by_label("Email").fill(OWNER["email"])
            await page.get_by_label("Password").fill(OWNER["password"])
            await page.get_by_role("button", name="Create account").click()
            await page.get_by_role("button", name="Use the demo model").click()
            await page.get_by_role("button", name="Cook ").click()
            await expect(page.get_by_role("button", name="Cook again")).to_be_visible()  # told by the event stream
            assert page.url.startswith(f"{base}/w/")
            wanted = "/".join(page.url.split("/")[:6])  # the workspace's own address
            await page.reload()
            await expect(page.get_by_text("Completed").first).to_be_visible()
            session = next(each for each in await context.cookies() if each["name"] == "automatos_session")
            assert session["path"] == "/automatos"

            await page.get_by_role("button", name=f"Account of {OWNER['name']}").click()
            await page.get_by_role("menuitem", name="Sign out").click()
            await expect(page.get_by_label("Password")).to_be_visible()
            assert page.url.startswith(f"{base}/sign-in")
            await page.goto(f"{wanted}/agents?status=active")
            await page.get_by_label("Email").fill(OWNER["email"])
            await page.get_by_label("Password").fill(OWNER["password"])
            await page.get_by_role("button", name="Sign in").click()
            await expect(page).to_have_url(f"{wanted}/agents?status=active")
            await expect(page.get_by_role("heading", name="Agents")).to_be_visible()
            await context.close()
            assert astray == []

            async with aiohttp.ClientSession() as http:
                async with http.get(f"{base}/api/openapi.json") as answer:
                    assert (await answer.json())["servers"] == [{"url": "/automatos"}]
                async with http.get(f"{base}/api/docs") as answer:
                    assert 'href="/automatos/api/openapi.json"' in await answer.text()
                async with http.get(f"http://127.0.0.1:{upstream}/automatos", allow_redirects=False) as answer:
                    assert (answer.status, answer.headers["Location"]) == (308, "/automatos/")
                async with http.get(f"{base}/api/unknown") as answer:
                    assert answer.status == 404
