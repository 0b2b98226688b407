"""What it means when PostgreSQL refuses: one judgement, for sessions, recording, jobs, health and answers alike."""

import errno
from collections.abc import Iterator
from enum import StrEnum

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from automatos.kernel.errors import DatabaseUnavailable

MAX_CAUSES = 8
REFUSALS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""What the driver raises."""


class Meaning(StrEnum):
    """Whose turn it is after a refusal."""

    UNAVAILABLE = "unavailable"
    """The platform's: the same again later may succeed."""
    CONFLICT = "conflict"
    """The sender's: it contradicts what is stored."""
    BAD_INPUT = "bad_input"
    """The sender's: a value that cannot be stored."""


BY_CLASS = {
    "08": Meaning.UNAVAILABLE,    # connection
    "22": Meaning.BAD_INPUT,      # value
    "23": Meaning.CONFLICT,       # constraint
    "28": Meaning.UNAVAILABLE,    # the login is refused
    "40": Meaning.UNAVAILABLE,    # rolled back: deadlock, serialization
    "53": Meaning.UNAVAILABLE,    # disk, memory, connections
    "54": Meaning.BAD_INPUT,      # longer than an index or a row can hold
    "57": Meaning.UNAVAILABLE,    # an administrator, a restart, a time limit
    "58": Meaning.UNAVAILABLE,    # the operating system: input and output
}
BY_CODE = {
    "25006": Meaning.UNAVAILABLE,  # read-only
    "25P03": Meaning.UNAVAILABLE,  # idle in a transaction for too long
    "3D000": Meaning.UNAVAILABLE,  # the database is gone, or being restored
    "55P03": Meaning.UNAVAILABLE,  # a lock that was not given
}
READ_ONLY, DISK_FULL, NO_MEMORY, NO_CONNECTION = "25006", "53100", "53200", "53300"
FULL = frozenset({DISK_FULL, NO_MEMORY})
WHY = {
    READ_ONLY: "The database is read-only at the moment (PostgreSQL {code}). Whoever runs the server: make "
               "default_transaction_read_only off, or point DATABASE_URL at the primary",
    DISK_FULL: "The database's disk is full (PostgreSQL {code}). Whoever runs the server: free some space there",
    NO_MEMORY: "The database has no memory left (PostgreSQL {code}). Whoever runs the server: give it more, or lower "
               "AUTOMATOS_DATABASE_POOL_SIZE",
    NO_CONNECTION: "All connections of the database are taken (PostgreSQL {code}). Whoever runs the server: raise "
                   "max_connections (or the login's CONNECTION LIMIT), or lower AUTOMATOS_DATABASE_POOL_SIZE",
}
"""What to do about a refusal that waiting alone does not end."""
NOT_SENT = ("All database connections of this process are in use. Whoever runs the server: if it goes on, raise "
            "AUTOMATOS_DATABASE_POOL_SIZE")
PLATFORM_ERRNOS = frozenset({
    errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""What the operating system says when the machine has no room: no fault of the work that met it."""


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was raised from, outermost first."""
    found: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if found is None:
            return
        yield found
        found = (found.orig if isinstance(found, DBAPIError) else None) or found.__cause__


def sqlstate_of(error: BaseException) -> str:
    """Return PostgreSQL's code of an error, whichever library raised it; empty when it is none of PostgreSQL's."""
    return next((str(code) for each in causes_of(error) if (code := getattr(each, "sqlstate", None))), "")


def meaning_of(error: BaseException) -> Meaning | None:
    """Say what a database's refusal means; None is a mistake of ours, or no refusal of a database at all."""
    if code := sqlstate_of(error):
        if any(isinstance(each, asyncpg.InvalidCachedStatementError) for each in causes_of(error)):
            return Meaning.UNAVAILABLE  # the tables changed under a prepared statement; it is prepared anew
        return BY_CODE.get(code) or BY_CLASS.get(code[:2])
    for each in causes_of(error):
        if isinstance(each, (DatabaseUnavailable, NoConnectionFree, asyncpg.InternalClientError)):
            return Meaning.UNAVAILABLE  # the last: the connection went in the middle of a statement
        if isinstance(each, asyncpg.InterfaceError):  # asyncpg's own: a value it cannot send, or a connection that went
            return Meaning.BAD_INPUT if isinstance(each, ValueError) else Meaning.UNAVAILABLE
        if isinstance(each, DBAPIError) and each.connection_invalidated:
            return Meaning.UNAVAILABLE
    return None


def is_unavailable(error: BaseException) -> bool:
    """Say whether an error of a connection means that the database is away, full, busy or only to be read.

    The driver raises a bare OSError or TimeoutError for a server that does not answer: ask only about errors of work
    that was the database's.
    """
    if meaning := meaning_of(error):
        return meaning is Meaning.UNAVAILABLE
    return not sqlstate_of(error) and isinstance(error, (OSError, TimeoutError))


def is_platform_fault(error: BaseException) -> bool:
    """Say whether work failed because of the machine or its database, whatever the work was: it is no attempt."""
    return meaning_of(error) is Meaning.UNAVAILABLE or any(
        isinstance(each, OSError) and each.errno in PLATFORM_ERRNOS for each in causes_of(error))


def unavailable(error: BaseException, *, is_unsure: bool = False) -> DatabaseUnavailable:
    """Return the problem that tells a caller of a refusal; `is_unsure` when a commit was not answered."""
    code = sqlstate_of(error)
    why = WHY.get(code, "").format(code=code)
    if not why and any(isinstance(each, NoConnectionFree) for each in causes_of(error)):
        why = NOT_SENT
    return DatabaseUnavailable(why, is_unsure=is_unsure and code[:2] in {"", "08", "57"})
