"""Trying credentials that open no model provider: one real request each, at addresses that may be reached."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from automatos.credentials import api_call, connect
from automatos.credentials.errors import CredentialUntestable
from automatos.credentials.probe import ProbeResult
from automatos.credentials.schemas import CredentialTry
from automatos.credentials.service import CredentialDeps, test_credential, try_contents
from automatos.entrypoints.migrate import Migrated
from automatos.kernel.config import Settings
from automatos.kernel.db import Database
from automatos.workspaces.types import Caller
from tests.credentials.conftest import Store
from tests.surface import Client

test_credential.__test__ = False  # pyright: ignore[reportFunctionMemberAccess] - a verb, not a test
SECRET = "correct-horse-battery"


@pytest.fixture
def own_settings(tmp_path: Any) -> Settings:
    return Settings(home=tmp_path, allow_private_urls=True)


@pytest.fixture
def attempt(database: Database, caller: Caller, deps: CredentialDeps):
    async def attempt(credential_type: str, *, deps: CredentialDeps = deps, **data: Any) -> ProbeResult:
        return await try_contents(database, caller, deps, CredentialTry(credential_type=credential_type, data=data))

    return attempt


@pytest.fixture
def careful(deps: CredentialDeps, tmp_path: Any) -> CredentialDeps:
    """Means of a server whose tenants may not reach private addresses."""
    return CredentialDeps(deps.vault, Settings(home=tmp_path), deps.http)


@asynccontextmanager
async def web_server() -> AsyncIterator[str]:
    """A web API that takes one user, one header and one token, and repeats what it was sent when it refuses."""
    good = {"Basic cmVhZGVyOmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ==", f"Bearer {SECRET}", f"ApiKey {SECRET}"}

    async def answer(request: web.Request) -> web.StreamResponse:
        way = request.match_info["way"]
        if way == "hang":
            await asyncio.sleep(60)
        if way == "away":
            return web.Response(status=302, headers={"Location": "http://169.254.169.254/"})
        if request.headers.get("Authorization") in good or request.headers.get("X-Key") == SECRET:
            return web.json_response({"ok": True})
        return web.json_response({"you sent": dict(request.headers)}, status=401)

    app = web.Application()
    app.router.add_get("/{way:.*}", answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.capability("S041")
@pytest.mark.parametrize(("credential_type", "data", "wrong"), [
    ("http_basic_auth", {"username": "reader", "password": SECRET, "test_url": "{url}/in"},
     {"password": "other-1234567890"}),
    ("http_header_auth", {"header_name": "X-Key", "header_value": SECRET, "test_url": "{url}/in"},
     {"header_name": "X-No"}),
    ("github_api", {"token": SECRET, "api_url": "{url}"}, {"token": "other-1234567890"}),
    ("elasticsearch_credentials", {"api_key": SECRET, "url": "{url}"}, {"api_key": "other-1234567890"}),
    ("elasticsearch_credentials", {"username": "reader", "password": SECRET, "url": "{url}"}, {"username": "writer"}),
])
async def test_a_web_api_is_asked_with_the_credential_and_its_words_are_not_repeated(
    attempt, credential_type: str, data: dict[str, str], wrong: dict[str, str]
) -> None:
    async with web_server() as url:
        given = {name: value.replace("{url}", url) for name, value in data.items()}
        good, bad = await attempt(credential_type, **given), await attempt(credential_type, **given | wrong)

    assert (good.status, bad.status) == ("passed", "failed")
    assert "does not accept this credential (401)" in bad.message
    assert not any(value in bad.message for value in (SECRET, "other-1234567890", "you sent"))


@pytest.mark.parametrize(("path", "words"), [("/away", "redirect (302)"), ("/hang", "did not answer")])
async def test_odd_answers_are_explained_in_time(
    attempt, monkeypatch: pytest.MonkeyPatch, path: str, words: str
) -> None:
    monkeypatch.setattr(api_call, "DEADLINE_S", 0.3)
    async with web_server() as url:
        result = await attempt("http_header_auth", header_value="v", test_url=url + path)

    assert (result.status, words in result.message) == ("failed", True)


def parts_of(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {"host": parts.hostname, "port": parts.port, "username": parts.username, "database": parts.path[1:]}


@pytest.mark.capability("S041")
async def test_postgresql_is_signed_in_to(attempt, migrated: Migrated) -> None:
    assert migrated.embedded
    given = parts_of(migrated.embedded.admin_database_url)
    password = urlsplit(migrated.embedded.admin_database_url).password or ""

    good = await attempt("postgres_credentials", **given, password=password)
    no_tls = await attempt("postgres_credentials", **given, password=password, ssl_mode="require")
    nobody = await attempt("postgres_credentials", **given | {"port": 1}, password=password)
    nothing = await attempt("postgres_credentials", **given | {"database": "no_such"}, password=password)

    assert (good.status, no_tls.status, nobody.status, nothing.status) == ("passed", "failed", "failed", "failed")
    assert "no database of this name" in nothing.message


@asynccontextmanager
async def talking(answers: dict[bytes, bytes], greeting: bytes = b"") -> AsyncIterator[int]:
    """A server that greets, and answers each line that begins with a word it knows."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        while line := await reader.readline():
            for word, answer in answers.items():
                if line.upper().startswith(word):
                    writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.capability("S041")
@pytest.mark.parametrize(("answer", "status", "words"), [
    (b"+OK\r\n", "passed", "accepted"),
    (b"-WRONGPASS invalid correct-horse-battery\r\n", "failed", "user and password"),
    (b"HTTP/1.1 400\r\n", "failed", "does not answer as Redis does"),
])
async def test_redis_is_signed_in_to(attempt, answer: bytes, status: str, words: str) -> None:
    async with talking({b"AUTH": answer, b"SELECT": b"+OK\r\n", b"PING": b"+PONG\r\n"}) as port:
        result = await attempt("redis_credentials", host="127.0.0.1", port=port, password=SECRET)

    assert (result.status, words in result.message, SECRET in result.message) == (status, True, False)


@pytest.mark.capability("S041")
@pytest.mark.parametrize(("answer", "status"), [
    (b"235 ok\r\n", "passed"), (b"535 no, not correct-horse-battery\r\n", "failed"),
])
async def test_a_mail_server_is_signed_in_to(attempt, answer: bytes, status: str) -> None:
    says = {b"EHLO": b"250-fake\r\n250 AUTH PLAIN\r\n", b"AUTH": answer, b"QUIT": b"221 bye\r\n"}
    async with talking(says, b"220 fake\r\n") as port:
        result = await attempt("smtp_credentials", host="127.0.0.1", port=port, security="none", username="reader",
                               password=SECRET)

    assert (result.status, SECRET in result.message) == (status, False)


async def test_who_never_answers_is_left_in_time(attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "DEADLINE_S", 0.2)
    async with talking({}) as port:
        result = await attempt("redis_credentials", host="127.0.0.1", port=port)

    assert "did not answer" in result.message


async def test_a_mail_server_that_never_ends_its_line_is_hung_up_on(
    attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every byte comes in time, so no limit on silence helps; the thread that reads them has to end all the same."""
    monkeypatch.setattr(connect, "DEADLINE_S", 0.3)
    is_hung_up = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = asyncio.create_task(reader.read())
        while not left.done():
            writer.write(b"2")
            await asyncio.sleep(0.02)
        is_hung_up.set()
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        result = await attempt("smtp_credentials", host="127.0.0.1", port=port, security="none")
        await asyncio.wait_for(is_hung_up.wait(), 60)

    assert "did not answer" in result.message


@pytest.mark.parametrize(("credential_type", "data"), [
    ("postgres_credentials", {"host": "127.0.0.1", "database": "d", "username": "u"}),
    ("redis_credentials", {"host": "localhost"}), ("smtp_credentials", {"host": "10.0.0.1"}),
    ("http_header_auth", {"header_value": "v", "test_url": "http://localhost:1/"}),
    ("elasticsearch_credentials", {"url": "http://127.0.0.1:9200", "api_key": "k"}),
])
async def test_private_addresses_are_refused_where_they_are_not_allowed(
    attempt, careful: CredentialDeps, credential_type: str, data: dict[str, Any]
) -> None:
    result = await attempt(credential_type, deps=careful, **data)

    assert (result.status, "private" in result.message) == ("failed", True)


async def test_link_local_addresses_are_refused_even_where_private_ones_are_allowed(attempt) -> None:
    database = await attempt("redis_credentials", host="169.254.169.254")
    web_api = await attempt("http_header_auth", header_value="v", test_url="http://169.254.169.254/latest")

    assert "private" in database.message
    assert "private" in web_api.message


@pytest.mark.parametrize(("credential_type", "data"), [
    ("aws_credentials", {"access_key_id": "A" * 20, "secret_access_key": "s" * 40}),
    ("mysql_credentials", {"host": "db", "database": "d", "username": "u"}),
    ("mongodb_credentials", {"connection_string": "mongodb://u:p@db/d"}), ("http_header_auth", {"header_value": "v"}),
    ("http_header_auth", {"header_value": "v", "test_url": "http://u:p@example.com/"}),
])
async def test_what_cannot_be_tried_says_so_instead_of_passing(
    attempt, credential_type: str, data: dict[str, Any]
) -> None:
    with pytest.raises(CredentialUntestable, match="not tried"):
        await attempt(credential_type, **data)


@pytest.mark.capability("S041")
async def test_a_stored_one_keeps_the_result_of_its_test_with_who_tried_it(
    store: Store, database: Database, caller: Caller, deps: CredentialDeps
) -> None:
    async with web_server() as url:
        kept = await store(name="Key", credential_type="http_header_auth",
                           data={"header_name": "X-Key", "header_value": SECRET, "test_url": url + "/in"})
        await test_credential(database, caller, kept.id, deps)

    async with database.recording(caller.workspace_id) as connection:
        row = await connection.fetchrow("SELECT * FROM credentials WHERE id = $1", kept.id)
        audit = await connection.fetchrow("SELECT * FROM audit_log WHERE action = 'credential.tested'")
    assert (row["test_status"], audit["detail"]["status"], audit["actor"]) == ("passed", "passed", caller.actor)


async def test_what_cannot_be_tried_is_a_conflict_over_http(client: Client) -> None:
    body = {"credential_type": "aws_credentials", "data": {"access_key_id": "A" * 20, "secret_access_key": "s" * 40}}

    tried = await client.post("/api/credentials/test", json=body)
    kept = (await client.post("/api/credentials", json=body | {"name": "Cloud"})).json()
    tested = await client.post(f"/api/credentials/{kept['id']}/test")

    assert (tried.status, tried.code) == (tested.status, tested.code) == (409, "credential_untestable")
    assert (await client.get(f"/api/credentials/{kept['id']}")).json()["test_status"] == "not_tested"
