"""Tools reach public web addresses only, whatever the address, its name or its redirects say."""

import asyncio
import ipaddress
import socket
import zlib
from collections.abc import Callable

import orjson
import pytest
from aiohttp import web

from automatos.kernel.confined import Allowance
from automatos.kernel.http import is_public
from automatos.kernel.remote_bytes import readable
from automatos.tools import guard
from automatos.tools.builtin import research
from automatos.tools.service import Toolbox
from automatos.tools.types import ToolContext, ToolResult
from tests.tools.conftest import Site

Make = Callable[..., ToolContext]


async def call(toolbox: Toolbox, context: ToolContext, name: str = "http_fetch", **arguments: object) -> ToolResult:
    return await toolbox.call(name, orjson.dumps(arguments).decode(), context)


@pytest.mark.parametrize("host", [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.0.1", "198.18.0.1", "203.0.113.1", "[::1]", "[::]", "[fe80::1]",
    "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "[fec0::1]", "[::7f00:1]", "[fe80::1%25lo]", "localhost", "2130706433", "0x7f000001",
    "0177.0.0.1", "127.1", "127.0.0.1.", "localhost.", "①②⑦.⓪.⓪.①", "192.88.99.1", "192.0.0.8", "192.0.0.9",
    "[3fff::1]", "[3fff:fff::1]", "[::ffff:192.88.99.1]", "[2002:c058:6301::]", "[64:ff9b::c000:8]", "[5f00::1]",
])
@pytest.mark.parametrize("tool", ["http_fetch", "research"])
async def test_private_addresses_are_refused_however_they_are_written(
    toolbox: Toolbox, context: Make, tool: str, host: str
) -> None:
    told = await call(toolbox, context(), tool, url=f"http://{host}/")
    assert not told.ok
    assert told.error_code in {"address_refused", "url_refused", "fetch_failed"}


@pytest.mark.parametrize("url", [
    "ftp://example.org/", "file:///etc/passwd", "gopher://x/", "//example.org", "javascript:alert(1)", "http:///path",
    "http://user:pass@example.org/", "http://user@example.org/", "https://:x@example.org/", "http://example.org:22/",
    "http://example.org:5432/", "http://example.org:99999/", "http://[::1", "http://exa mple.org:0/", "http://\x00/", "http://..",
])
async def test_other_addresses_are_refused(toolbox: Toolbox, context: Make, url: str) -> None:
    told = await call(toolbox, context(), url=url)
    assert not told.ok
    assert told.error_code in {"url_refused", "fetch_failed"}
    assert "user" not in url or "password" in told.output


async def test_a_name_that_leads_to_a_private_address_is_refused_at_the_connection(
    toolbox: Toolbox, context: Make, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often the name resolves, the address that is connected to is the one that is judged."""
    loop = asyncio.get_running_loop()
    answers = [("93.184.216.34", 80), ("127.0.0.1", 80)]

    async def resolve(host: str, port: int, **_: object) -> list[object]:
        address = answers[-1] if host == "rebound.example" else (host, port)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address[0], port))]

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    for name in ("http_fetch", "research"):
        told = await call(toolbox, context(), name, url="http://rebound.example/")
        assert told.error_code == "address_refused"
    assert site.seen == []


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "192.88.98.255",
                                     "192.0.1.1"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


async def test_each_redirect_is_checked_and_there_are_five_at_most(
    open_toolbox: Toolbox, context: Make, site: Site
) -> None:
    def go(location: str, status: int = 302) -> Callable[[web.Request], web.Response]:
        return lambda _: web.Response(status=status, headers={"Location": location})

    site.answers |= {"/a": go("/b"), "/b": go(f"{site.url}/c"), "/c": lambda _: web.Response(text="there")}
    site.answers |= {"/loop": go("/loop"), "/file": go("file:///etc/passwd"), "/bad": go("http://[::1")}
    site.answers |= {"/user": go("http://u:p@127.0.0.1/")}

    assert "there" in (await call(open_toolbox, context(), url=f"{site.url}/a")).output
    assert (await call(open_toolbox, context(), url=f"{site.url}/loop")).error_code == "too_many_redirects"
    assert [path for _, path, _, _ in site.seen].count("/loop") == 6
    for path in ("/file", "/bad", "/user"):
        assert (await call(open_toolbox, context(), url=f"{site.url}{path}")).error_code == "url_refused"


async def test_private_headers_and_writes_do_not_follow_to_another_site(
    open_toolbox: Toolbox, context: Make, site: Site
) -> None:
    elsewhere = site.url.replace("127.0.0.1", "localhost")
    site.answers |= {
        "/out": lambda _: web.Response(status=302, headers={"Location": f"{elsewhere}/seen"}),
        "/out307": lambda _: web.Response(status=307, headers={"Location": f"{elsewhere}/seen"}),
    }
    headers = {"Authorization": "Bearer x", "X-Key": "y", "Accept": "text/plain"}

    assert (await call(open_toolbox, context(), url=f"{site.url}/out", headers=headers)).ok
    method, path, seen, _ = site.seen[-1]
    assert (method, path, seen.get("Accept")) == ("GET", "/seen", "text/plain")
    assert "Authorization" not in seen
    assert "X-Key" not in seen
    told = await call(open_toolbox, context(), url=f"{site.url}/out307", method="POST", body="secret")
    assert told.error_code == "redirect_refused"


async def test_a_write_carries_the_key_of_its_call(open_toolbox: Toolbox, context: Make, site: Site) -> None:
    told = await call(open_toolbox, context(call_key="e:1:2:c"), url=f"{site.url}/w", method="POST", body="héllo",
                      headers={"Content-Type": "text/plain"})
    assert told.ok
    assert told.output.startswith("200 OK\n")
    method, _, headers, body = site.seen[-1]
    assert (method, body, headers["Idempotency-Key"]) == ("POST", "héllo", "e:1:2:c")
    await call(open_toolbox, context(), url=f"{site.url}/r")
    assert "Idempotency-Key" not in site.seen[-1][2]


@pytest.mark.parametrize("arguments", [
    {"headers": {"Host": "x"}}, {"headers": {"content-length": "1"}}, {"headers": {"X": "a\r\nY: b"}},
    {"headers": {"a b": "c"}}, {"body": "x"}, {"method": "HEAD", "body": "x"}, {"method": "CONNECT"},
    {"headers": {"Idempotency-Key": "mine"}},
])
async def test_requests_that_would_be_something_else_are_refused(
    open_toolbox: Toolbox, context: Make, site: Site, arguments: dict[str, object]
) -> None:
    told = await call(open_toolbox, context(), url=site.url, **arguments)
    assert told.error_code == "invalid_arguments"
    assert site.seen == []


async def test_a_large_body_is_cut_and_a_slow_one_ends_in_time(
    open_toolbox: Toolbox, context: Make, site: Site
) -> None:
    site.answers["/big"] = lambda _: web.Response(body=b"x" * 5_000_000, content_type="text/plain")
    big = await call(open_toolbox, context(), url=f"{site.url}/big")
    assert big.ok
    assert len(big.output) < 21_000

    listener = await asyncio.start_server(_drip, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    slow = await call(open_toolbox, context(deadline_s=0.3), url=f"http://127.0.0.1:{port}/")
    assert slow.error_code == "tool_timeout"
    listener.close()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("tool", ["http_fetch", "research"])
async def test_a_body_that_unpacks_to_gigabytes_is_unpacked_up_to_the_limit_only(
    open_toolbox: Toolbox, context: Make, site: Site, monkeypatch: pytest.MonkeyPatch, tool: str, encoding: str
) -> None:
    """What was asked for is no packed body, yet senders may send one; it counts by the bytes it makes."""
    packer = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    packed = b"".join([*(packer.compress(b"x" * 1_000_000) for _ in range(100)), packer.flush()])
    site.answers["/packed"] = lambda _: web.Response(
        body=packed, headers={"Content-Type": "text/plain", "Content-Encoding": encoding})
    kept: list[int] = []
    monkeypatch.setattr(guard.Fetched, "text", property(lambda page: kept.append(len(page.body)) or "x"))

    told = await call(open_toolbox, context(), tool, url=f"{site.url}/packed")

    assert told.ok, told.output
    assert len(packed) < 200_000
    assert kept
    assert kept[-1] <= guard.MAX_BODY_BYTES


async def _drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n")
    try:
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)
    except ConnectionError:
        pass
    writer.close()


async def test_what_is_not_http_or_not_there_is_told_plainly(open_toolbox: Toolbox, context: Make) -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello there\r\n\r\n")
        writer.close()

    listener = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    told = await call(open_toolbox, context(), url=f"http://127.0.0.1:{port}/")
    assert told.error_code == "fetch_failed"
    listener.close()
    await listener.wait_closed()
    assert "connected" in (await call(open_toolbox, context(), url=f"http://127.0.0.1:{port}/")).output


async def test_research_returns_the_text_of_a_page(open_toolbox: Toolbox, context: Make, site: Site) -> None:
    page = "<title>A &amp; B</title><nav>menu</nav><h1>Head</h1><p>One <b>two</b>\n three</p><script>evil()</script>"
    site.answers |= {
        "/page": lambda _: web.Response(text=page, content_type="text/html"),
        "/json": lambda _: web.json_response({"a": 1}), "/gone": lambda _: web.Response(status=404),
        "/image": lambda _: web.Response(body=b"\x89PNG", content_type="image/png"),
    }

    told = await call(open_toolbox, context(), "research", url=f"{site.url}/page")

    assert told.output == f"A & B\n{site.url}/page\n\nHead\nOne two three"
    assert '{"a": 1}' in (await call(open_toolbox, context(), "research", url=f"{site.url}/json")).output
    for path in ("/gone", "/image"):
        assert (await call(open_toolbox, context(), "research", url=f"{site.url}{path}")).error_code == "fetch_failed"
    shown = await call(open_toolbox, context(), url=f"{site.url}/image")
    assert "4 bytes of image/png, not text" in shown.output


@pytest.mark.parametrize(("html", "text"), [
    ("", ""), ("plain", "plain"), ("<p>a<p>b", "a\nb"), ("<script>x", ""), ("<nav><nav>x</nav>y</nav>z", "z"),
    ("</script>a", "a"), ("<p>a<br/>b</p>", "a\nb"), ("<!-- x -->a<![CDATA[b", "a"), ("&lt;b&gt;", "<b>"),
])
def test_broken_pages_are_read_as_far_as_they_go(html: str, text: str) -> None:
    assert readable(html)[1].startswith(text)


@pytest.mark.parametrize("page", [
    b"<a " * 500_000, b"<div x=\"" * 200_000, b"&#" + b"9" * 1_000_000, b"<!--" * 400_000,
], ids=["open tags", "open quotes", "endless reference", "comments"])
async def test_a_page_that_was_made_to_be_dear_is_read_away_from_the_server(
    open_toolbox: Toolbox, context: Make, site: Site, page: bytes
) -> None:
    site.answers["/dear"] = lambda _: web.Response(body=page + b"<p>end", content_type="text/html")
    told = await call(open_toolbox, context(), "research", url=f"{site.url}/dear")
    assert told.ok
    assert told.output.startswith("Untitled\n")


async def test_a_page_that_takes_too_much_is_told_to_the_model(
    open_toolbox: Toolbox, context: Make, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(research, "ALLOWED", Allowance(deadline_s=0.0))
    site.answers["/page"] = lambda _: web.Response(text="<p>x", content_type="text/html")
    told = await call(open_toolbox, context(), "research", url=f"{site.url}/page")
    assert (told.ok, told.error_code) == (False, "page_too_costly")


@pytest.mark.parametrize("charset", [
    "punycode", "idna", "utf-7", "unicode_escape", "base64", "rot13", "undefined", "no-such",
])
@pytest.mark.parametrize("tool", ["http_fetch", "research"])
async def test_a_server_does_not_choose_a_codec_that_is_no_character_set(
    open_toolbox: Toolbox, context: Make, site: Site, charset: str, tool: str
) -> None:
    site.answers["/text"] = lambda _: web.Response(
        body="<p>+AGE- é \\x41 xn--a".encode(), headers={"Content-Type": f"text/html; charset={charset}"})
    told = await call(open_toolbox, context(), tool, url=f"{site.url}/text")
    assert "+AGE- é \\x41 xn--a" in told.output


@pytest.mark.parametrize(("charset", "written"), [
    ("windows-1251", "Привет"), ("Shift_JIS", "日本語"), ("euc-kr", "한국어"), ("gb2312", "中文"), ("latin1", "é€"),
    ("UTF-16", "å"), ("big5", "中文"),
])
async def test_the_character_sets_of_the_web_are_read(
    open_toolbox: Toolbox, context: Make, site: Site, charset: str, written: str
) -> None:
    codec = {"latin1": "cp1252"}.get(charset, charset)
    site.answers["/text"] = lambda _: web.Response(
        body=f"<p>{written}</p>".encode(codec), headers={"Content-Type": f"text/html; charset={charset}"})
    assert written in (await call(open_toolbox, context(), "research", url=f"{site.url}/text")).output
