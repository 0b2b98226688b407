"""One judgement of what a database refuses, whoever raised it and however it was wrapped."""

import asyncio
import errno
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable
from automatos.kernel.refusals import Meaning, is_platform_fault, is_unavailable, meaning_of, unavailable


def raised(code: str) -> asyncpg.PostgresError:
    return asyncpg.PostgresError.new({"C": code, "M": "refused"})


@pytest.mark.parametrize(("code", "meaning"), [
    ("08006", Meaning.UNAVAILABLE), ("25006", Meaning.UNAVAILABLE), ("28P01", Meaning.UNAVAILABLE),
    ("40001", Meaning.UNAVAILABLE), ("53100", Meaning.UNAVAILABLE), ("53400", Meaning.UNAVAILABLE),
    ("57P03", Meaning.UNAVAILABLE), ("23503", Meaning.CONFLICT), ("22P05", Meaning.BAD_INPUT),
    ("54000", Meaning.BAD_INPUT), ("25001", None), ("42P01", None), ("42501", None), ("XX001", None),
])
def test_a_code_has_one_meaning_raw_adapted_and_wrapped(code: str, meaning: Meaning | None) -> None:
    raw = raised(code)
    adapted = Exception("adapted")
    adapted.__cause__ = raw
    wrapped = DBAPIError("SELECT 1", None, adapted)
    above = RuntimeError("a step failed")
    above.__cause__ = wrapped
    assert {meaning_of(each) for each in (raw, wrapped, above)} == {meaning}


@pytest.mark.parametrize("error", [
    ConnectionRefusedError(), TimeoutError(), NoConnectionFree(), asyncpg.InterfaceError("the connection is closed"),
    DatabaseUnavailable(), asyncpg.InternalClientError("cannot switch to state 11; another operation is in progress"),
])
def test_a_server_that_does_not_answer_is_unavailable(error: Exception) -> None:
    assert is_unavailable(error)


@pytest.mark.parametrize(("error", "is_platforms"), [
    (OSError(errno.ENOSPC, "full"), True), (OSError(errno.EMFILE, "handles"), True), (raised("40P01"), True),
    (FileNotFoundError(errno.ENOENT, "gone"), False), (TimeoutError(), False), (ValueError(), False),
    (raised("22003"), False),
])
def test_the_machines_faults_are_told_from_those_of_the_work(error: Exception, is_platforms: bool) -> None:
    assert is_platform_fault(error) is is_platforms


async def test_a_value_that_cannot_be_sent_is_no_outage(database: Database, workspace_id: UUID) -> None:
    """The driver says so with the class of error that it also uses for a connection that is gone."""
    with pytest.raises(asyncpg.DataError) as refused:
        async with database.recording(workspace_id) as connection:
            await connection.fetchval("SELECT $1::int", 2**40)
    assert meaning_of(refused.value) is Meaning.BAD_INPUT


async def test_a_time_limit_of_the_callers_is_not_the_databases(database: Database, workspace_id: UUID) -> None:
    with pytest.raises(TimeoutError):
        async with database.session(workspace_id), asyncio.timeout(0):
            await asyncio.sleep(1)
    with pytest.raises(FileNotFoundError):
        async with database.session(workspace_id):
            raise FileNotFoundError("a file of the caller's")


async def test_a_statement_that_is_not_answered_is_an_outage(database: Database, workspace_id: UUID) -> None:
    async def look() -> None:
        async with database.session(workspace_id) as session:
            await session.execute(text("SET LOCAL statement_timeout = 1"))
            await session.execute(text("SELECT pg_sleep(5)"))

    with pytest.raises(DatabaseUnavailable):
        await look()


async def test_a_commit_that_is_not_answered_promises_nothing(
    database: Database, workspace_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(_: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr("sqlalchemy.ext.asyncio.AsyncSession.commit", lose)
    with pytest.raises(DatabaseUnavailable) as unsure:
        async with database.session(workspace_id):
            pass
    assert "not known" in unsure.value.detail
    assert "nothing was changed" not in unsure.value.detail
    assert "nothing was changed" in unavailable(raised("40001"), is_unsure=True).detail


async def test_a_conflict_goes_to_who_can_judge_it(database: Database, workspace_id: UUID) -> None:
    with pytest.raises(IntegrityError) as found:
        async with database.session(workspace_id) as session:
            await session.execute(
                text("INSERT INTO agents (workspace_id, name, agent_type) VALUES (:w, NULL, 'custom')"),
                                  {"w": workspace_id})
    assert meaning_of(found.value) is Meaning.CONFLICT
