"""What a server needs of this machine, each part checked by trying it, with the cure where it fails."""

import asyncio
import platform
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automatos.kernel.config import Settings
from automatos.kernel.errors import Problem
from automatos.kernel.running import Running, read_note

OLDEST_PYTHON = (3, 11)
TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Finding:
    """What a check found; a `cure` means that it failed, `is_needed` that a server cannot run so."""

    name: str
    detail: str
    cure: str | None = None
    is_needed: bool = True

    @property
    def word(self) -> str:
        """The finding in one word."""
        return "ok" if self.cure is None else "fail" if self.is_needed else "warn"


AskModel = Callable[[str], dict[str, Any] | str]
"""Asks the server at an address for its default model, as its API gives it, or says why there is no answer."""


def look(settings: Settings, ask_model: AskModel) -> list[Finding]:
    """Make every check and return what each found."""
    return asyncio.run(_look(settings, ask_model))


async def _look(settings: Settings, ask_model: AskModel) -> list[Finding]:
    note = read_note(settings.home)
    checks: list[tuple[str, Callable[[], Awaitable[Finding | list[Finding]]]]] = [
        ("python", _python), ("home", lambda: _home(settings)), ("port", lambda: _port(settings, note)),
        ("database", lambda: _database(settings, note)), ("model", lambda: _model(settings, note, ask_model)),
        ("sandbox", lambda: _sandbox(settings)), ("web app", _web_app), ("redis", lambda: _redis(settings)),
        ("sign-in", lambda: _sign_in(settings, note)), ("bucket", lambda: _bucket(settings)),
        ("engine", lambda: _engine(settings)),
    ]
    findings = list[Finding]()
    for name, check in checks:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                found = await check()
        except Problem as problem:
            found = Finding(name, problem.title, problem.detail)
        except Exception as error:  # noqa: BLE001  # a check fails in whatever way its part does
            found = Finding(name, f"{type(error).__name__}: {error}", "Read the message; the part does not work here.")
        findings += found if isinstance(found, list) else [found]
    return findings


async def _engine(settings: Settings) -> Finding:
    from automatos.durable.service import try_temporal

    if settings.temporal is None:
        return Finding("engine", "built in: jobs are shared out by leases in the database")
    await try_temporal(settings.temporal)
    return Finding("engine", f"Temporal at {settings.temporal.target}, namespace {settings.temporal.namespace}")


async def _python() -> Finding:
    ours = f"{platform.python_version()} at {sys.executable}"
    is_old = sys.version_info < OLDEST_PYTHON
    return Finding("python", ours, "Install Python 3.11 or newer." if is_old else None)


async def _home(settings: Settings) -> Finding:
    from automatos.entrypoints.startup import make_home

    make_home(settings)
    return Finding("home", f"{settings.home} can be written")


async def _port(settings: Settings, note: Running | None) -> Finding:
    from automatos.entrypoints.startup import reserve_address

    if note:  # the server of this home has its port already, whichever the environment names
        return Finding("port", f"our server (pid {note.pid}) answers at {note.url}")
    reserve_address(settings.host, settings.port).close()
    return Finding("port", f"{settings.host}:{settings.port} is free")


async def _database(settings: Settings, note: Running | None) -> list[Finding]:
    url = settings.external_database_url or (note.database_url if note else None)
    if url:
        return await _database_at(url, is_ours=not settings.external_database_url)
    return [await asyncio.to_thread(_embedded, settings)]


def _embedded(settings: Settings) -> Finding:
    """Check that the embedded server could start, without starting it."""
    from automatos.kernel.embedded import EmbeddedPostgres, data_directory

    directory = data_directory(settings.home)
    EmbeddedPostgres(directory).check()
    return Finding("database", f"embedded PostgreSQL with pgvector, in {directory}; starts with `automatos up`")


async def _database_at(url: str, *, is_ours: bool) -> list[Finding]:
    from automatos.entrypoints.inspection import inspect, pooler_at, refuse_unusable
    from automatos.kernel.pooler import Pooler

    found = await inspect(url)
    if found.has_vector:
        refuse_unusable(found)
    what = "embedded PostgreSQL" if is_ours else "PostgreSQL"
    held = ("its login bypasses row-level security, so the application steps down to a role that is bound by it"
            if found.is_bypassing else "its login is bound by row-level security")
    if (pooler := await pooler_at(url)) is not Pooler.NONE:
        held += f"; a pooler in {pooler} mode stands before it"
    findings = [Finding("database", f"{what} {found.major} answers; {held}")]
    findings.append(Finding("pgvector", "there") if found.has_vector else Finding(
        "pgvector", "not there", f"Install postgresql-{found.major}-pgvector on the database server."))
    if found.skew_note:
        findings.append(Finding("clock", found.skew_note, "Let both machines set their clocks by NTP.",
                                is_needed=False))
    return findings


async def _model(settings: Settings, note: Running | None, ask_model: AskModel) -> Finding:
    if note:
        return await asyncio.to_thread(_model_of, note, ask_model)
    from automatos.credentials.service import providers_by_name

    keyed = [provider.display_name for provider in providers_by_name().values()
             if provider.key_setting and getattr(settings, provider.key_setting)]
    named = providers_by_name().get(settings.default_llm_provider or "")
    if named and named.key_setting and not getattr(settings, named.key_setting) and not (
            named.url_setting and getattr(settings, named.url_setting)):
        return Finding("model", f"DEFAULT_LLM_PROVIDER is {named.name}, and {named.env_variable} is not set",
                       f"Set {named.env_variable}, or add a key for {named.display_name} in the web app.",
                       is_needed=False)
    if keyed or settings.openai_base_url:
        return Finding("model", f"configured by environment: {', '.join(keyed) or settings.openai_base_url}")
    return Finding("model", "no key in the environment; keys added in the web app are not seen from here",
                   "Set OPENAI_API_KEY, ANTHROPIC_API_KEY, HF_TOKEN or OPENAI_BASE_URL; until then the built-in demo "
                   "provider answers.", is_needed=False)


def _model_of(note: Running, ask_model: AskModel) -> Finding:
    """Ask the running server, whose keys and settings this process does not see."""
    found = ask_model(note.url)
    if isinstance(found, str):
        return Finding("model", f"the server at {note.url} does not say: {found}",
                       "Sign in, then ask again: automatos auth login --local", is_needed=False)
    if found["is_demo"]:
        return Finding("model", "the built-in demo provider answers", "Add a key: automatos credential create, or in "
                       "the web app under Settings, Credentials.", is_needed=False)
    return Finding("model", f"{found['provider']}/{found['model_id']} answers, by {found['source'].replace('_', ' ')}")


async def _sandbox(settings: Settings) -> Finding:
    from automatos.tools.sandbox import Sandbox

    sandbox = Sandbox()
    await sandbox.probe(settings.home / "sandbox")
    if sandbox.off_reason is None:
        return Finding("sandbox", "bubblewrap confines commands; the shell tool is on")
    return Finding("sandbox", f"the shell tool is off: {sandbox.off_reason}",
                   "Install bubblewrap (on Debian: apt install bubblewrap), if agents shall run commands.",
                   is_needed=False)


async def _web_app() -> Finding:
    static = Path(__file__).parents[1] / "static"
    if (static / "index.html").is_file():
        return Finding("web app", f"built, in {static}")
    return Finding("web app", "not built; the API works without it", "Run `make run`, or `python hatch_build.py`.",
                   is_needed=False)


async def _redis(settings: Settings) -> list[Finding]:
    if not settings.redis:
        return []
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    try:
        async with Redis.from_url(settings.redis, socket_timeout=3, socket_connect_timeout=3) as redis:
            await redis.ping()
    except RedisError as error:
        return [Finding("redis", f"does not answer ({error})", "Start it, or unset REDIS_URL: it is optional.",
                        is_needed=False)]
    return [Finding("redis", "answers")]


async def _sign_in(settings: Settings, note: Running | None) -> list[Finding]:
    """Ask the identity provider, where one is configured, all that comes before its login page."""
    from automatos.workspaces.errors import SignInRefused
    from automatos.workspaces.identity_trial import try_identity_provider

    try:
        found = await try_identity_provider(settings, note.url if note else f"http://{settings.host}:{settings.port}")
    except SignInRefused as refused:
        return [Finding("sign-in", f"the identity provider cannot be used: {refused.detail}",
                        "Correct AUTOMATOS_OIDC_ISSUER (or AUTOMATOS_JWKS_URL), or the way to it.")]
    if found is None:
        return []
    findings = [Finding("sign-in", f"{found.provider} answers; it publishes {found.keys} signing keys")]
    if found.refusal:
        findings.append(Finding("sign-in", f"{found.provider} shows no login page for us: {found.refusal}",
                                f"Let its client {settings.oidc_client_id} have the redirect address "
                                f"{found.redirect_uri}; AUTOMATOS_PUBLIC_URL says where this server is."))
    elif found.redirect_uri:
        findings.append(Finding("sign-in", f"it takes the redirect address {found.redirect_uri}"))
    if found.ahead_s:
        where = "ahead of" if found.ahead_s > 0 else "behind"
        findings.append(Finding("clock", f"the identity provider's clock is {abs(found.ahead_s)} s {where} ours; its "
                                "tokens are refused", "Let both machines set their clocks by NTP."))
    return findings


async def _bucket(settings: Settings) -> list[Finding]:
    """Try the object store with an object of our own, which is gone afterwards."""
    if not settings.aws_s3_bucket:
        return []
    from automatos.kernel.blobs import BlobsUnavailable, open_store
    from automatos.kernel.ids import new_id

    where = f"{settings.aws_s3_bucket} at {settings.aws_endpoint_url or f'Amazon S3 in {settings.aws_region}'}"
    blobs, key = open_store(settings), f"server/probe/{new_id()}"
    try:
        await blobs.probe()
        await blobs.put(key, b"automatos doctor")
        await blobs.get(key)
        await blobs.delete(key)
    except BlobsUnavailable as problem:
        return [Finding("bucket", f"{where} cannot be used: {_why(problem.__cause__)}", problem.detail,
                        is_needed=False)]
    return [Finding("bucket", f"{where} answers; an object was written, read and deleted")]


def _why(error: BaseException | None) -> str:
    """Return S3's own code and message where it gave them, else how the request failed."""
    said = str(error or "it does not answer")
    own = [found[1] for name in ("Code", "Message") if (found := re.search(f"<{name}>([^<]{{1,300}})</{name}>", said))]
    return ": ".join(own) or said.strip().splitlines()[0][:300]
