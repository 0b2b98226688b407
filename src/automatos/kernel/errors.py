"""Errors that reach a caller; rendered once, as RFC 9457 problem details, in `entrypoints.api`."""

from typing import Any, ClassVar


class Problem(Exception):
    """What happened, where, and what to do next.

    `status` is the HTTP status, `code` the stable machine-readable name, `title` the same for every occurrence;
    the message is this occurrence's. `extra` joins the rendered document; `headers` the response.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong on the server"

    def __init__(self, detail: str, *, headers: dict[str, str] | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers or {}
        self.extra = extra


class InvalidRequest(Problem):
    """The request does not have the shape this route takes."""

    status = 422
    code = "invalid_request"
    title = "The request is not valid"


class NotFound(Problem):
    """There is no such thing here; absent and foreign things answer alike."""

    status = 404
    code = "not_found"
    title = "Not found"


class StaleEdit(Problem):
    """Somebody else saved first; `current` in the document holds what is stored now."""

    status = 412
    code = "stale_edit"
    title = "It was changed by somebody else"


class DatabaseUnavailable(Problem):
    """The database did not take this at the moment: it is away, full, busy or only to be read."""

    status = 503
    code = "database_unavailable"
    title = "The database is not available"

    def __init__(self, why: str = "", *, is_unsure: bool = False) -> None:
        self.why = why
        done = ("whether the change was stored is not known: load it again before you repeat it" if is_unsure
                else "nothing was changed")
        super().__init__(
            f"{why}; {done}." if why else
            f"The database did not answer and {done}. Try again in a few seconds; "
            "if it goes on, run `automatos doctor` on the server.",
            headers={"Retry-After": "2"},
        )


class DatabaseRefused(Problem):
    """The configured database cannot be used; the message says why and what to do."""

    status = 503
    code = "database_refused"
    title = "The database cannot be used"
