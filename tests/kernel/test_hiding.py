"""What may be written to a log: no secret of ours or of others, no value of a statement, nothing a terminal obeys."""

import json
import logging

import asyncpg
import orjson
import pytest
import structlog
from pydantic import BaseModel, SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from automatos.kernel.config import Settings
from automatos.kernel.db import Database
from automatos.kernel.secret import HIDDEN, Secret
from automatos.kernel.telemetry import configure_logging, hide_secrets, scrub
from automatos.workspaces.tokens import digest, new_token

PLANTED = "abcdEFGH1234567890"


@pytest.fixture(autouse=True)
def _unbound() -> None:
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize("text", [
    f"Cookie: automatos_session={PLANTED}; theme=dark", f"automatos_session={PLANTED}", f"automatos_id_token={PLANTED}",
    f"GET /setup?token={PLANTED} 200", f"http://h/invitations/accept#token={PLANTED}", f"at /x?a=1&token={PLANTED}&b=2",
    f"github_pat_11{PLANTED}", f"xoxb-12-{PLANTED}", f"xoxe.xoxp-1-{PLANTED}", f"glpat-{PLANTED}", f"npm_{PLANTED}",
    f"ya29.{PLANTED}", f"aws_secret_access_key={PLANTED}", f"refresh_token={PLANTED}&grant=x", f"id_token: '{PLANTED}'",
    f"-----BEGIN PRIVATE KEY-----\nMII{PLANTED}\n-----END PRIVATE KEY-----",
    f"-----BEGIN RSA PRIVATE KEY-----\\nMII{PLANTED}", f'{{"token": "{PLANTED}"}}', f'{{\\"token\\":\\"{PLANTED}\\"}}',
    f"client_secret={PLANTED}", f"Set-Cookie: anything={PLANTED}; Path=/", f"X-API-Key: {PLANTED}",
    f"https://hooks.slack.com/services/T0/B0/{PLANTED}", f"dop_v1_{PLANTED}", f"pypi-AgEI{PLANTED}",
])
def test_every_shape_of_a_secret_inside_text_is_hidden(text: str) -> None:
    assert PLANTED not in hide_secrets(text)
    assert HIDDEN in hide_secrets(text)


@pytest.mark.parametrize("text", [
    "tokens=412", "max_tokens=4096 total_tokens: 7", "Unexpected token: }", "the session of today", "key=value pairs",
    '{"tokens": 412}', "npm_config is unset", "a cookie recipe", "sealed under it",
])
def test_harmless_text_and_counts_stay(text: str) -> None:
    assert hide_secrets(text) == text


@pytest.mark.parametrize("name", ["value", "key", "session", "sealed", "Session", "setup_token", "refreshToken"])
def test_fields_that_hold_secrets_are_hidden_by_name(name: str) -> None:
    assert scrub({name: PLANTED})[name] == HIDDEN
    assert scrub({"outer": {name: [PLANTED]}})["outer"][name] == HIDDEN


def test_a_number_under_a_vague_name_is_no_secret() -> None:
    event = {"value": 12, "key": 3.5, "tokens": 412, "session": None, "monkey": "Bo", "job_key": "17"}
    assert scrub(event) == event


def test_a_secret_by_type_shows_itself_nowhere() -> None:
    secret = Secret(PLANTED)

    class Holder(BaseModel):
        token: Secret

    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>30}", repr({"a": secret}),
             json.dumps({"a": secret}, default=str), orjson.dumps({"a": secret}, default=str).decode(),
             Holder(token=secret).model_dump_json(), repr(Holder(token=secret)), str(scrub({"odd": secret}))]
    assert all(PLANTED not in each and HIDDEN in each for each in shown), shown
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert secret.reveal() == PLANTED
    assert (secret == Secret(PLANTED), secret == PLANTED, bool(Secret(""))) == (True, False, False)


def test_tokens_that_we_make_are_secrets_from_the_start() -> None:
    token = new_token()
    assert str(token) == HIDDEN
    assert digest(token) == digest(token.reveal())


def test_what_the_operator_set_is_hidden_wherever_it_turns_up(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(
        log_format="json", platform_api_key=SecretStr("correct horse battery"),
        database_url=SecretStr("postgresql://cook:pw-of-cook@db/x")))
    structlog.get_logger().warning("odd", why="it said correct horse battery to me", other="login pw-of-cook failed")
    told = capsys.readouterr().err
    configure_logging(Settings(log_format="json"))
    assert "battery" not in told
    assert "pw-of-cook" not in told
    assert told.count(HIDDEN) == 2


async def test_values_of_statements_are_in_no_error(database: Database) -> None:
    """Of a session, of a recording, of a value that cannot be sent, and of a row that a constraint refused."""
    odd, shown = f"my diary {PLANTED}", []

    def note(error: BaseException) -> None:
        try:
            raise error
        except BaseException:
            shown.append(scrub(structlog.processors.format_exc_info(None, "", {"exc_info": True}))["exception"])

    with pytest.raises(DBAPIError) as refused:
        async with database.session(None) as session:
            await session.execute(text("SELECT CAST(:v AS text), 1 / 0"), {"v": odd})
    note(refused.value)
    async with database.recording(None) as connection:
        for query, values in (("SELECT $1::int", (odd,)), ("SELECT ($1::text)::int", (odd,))):
            with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as refused:
                await connection.fetchval(query, *values)
            note(refused.value)
        await connection.execute("BEGIN; CREATE TEMP TABLE diary (t text CHECK (length(t) < 3)) ON COMMIT DROP")
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await connection.execute("INSERT INTO diary VALUES ($1)", odd)
        note(refused.value)
        await connection.execute("ROLLBACK")
    assert len(shown) == 4
    assert all(PLANTED not in each for each in shown), shown


HOSTILE = "a\x1b[2Jb\x9b31mc\rd\ne\x07f\u202eg\u2028h\x7f"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_value_moves_a_terminal_or_begins_a_line(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    configure_logging(Settings(log_format=log_format, log_level="info"))
    log = structlog.get_logger()
    log.warning(HOSTILE, path=HOSTILE, nested={"deep": [HOSTILE], HOSTILE: 1}, raw=HOSTILE.encode("latin-1", "ignore"))
    logging.getLogger("uvicorn.error").warning("refused %s", HOSTILE)
    try:
        raise ValueError(f"{HOSTILE}\n2026-01-01 [info     ] forged line")
    except ValueError:
        log.exception("broke")
    told = capsys.readouterr().err
    configure_logging(Settings(log_format="json"))
    assert not set(told) & set("\x1b\x9b\r\x07\u202e\u2028\x7f")
    lines = told.splitlines()
    assert not any(line.startswith(("e", "2026-01-01 [info")) for line in lines)
    if log_format == "json":
        assert [json.loads(line)["level"] for line in lines] == ["warning", "warning", "error"]
        assert json.loads(lines[0])["path"] == HOSTILE
