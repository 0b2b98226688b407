"""The one renderer of errors: every failure leaves as an RFC 9457 problem that names what, where and what next."""

from http import HTTPStatus
from typing import Any, cast

import asyncpg
import orjson
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from automatos.kernel.errors import DatabaseUnavailable, InvalidRequest, Problem
from automatos.kernel.refusals import Meaning, meaning_of, sqlstate_of, unavailable

log = structlog.get_logger()

MAX_ERRORS = 20
MAX_TEXT = 300
MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:automatos:problem:"
BIGGEST_INTEGER = 2**63 - 1


class StoredElsewise(Problem):
    """What was sent contradicts what is stored: a name that is taken, or something that was deleted meanwhile."""

    status = 409
    code = "conflict"
    title = "The change contradicts what is stored"


class BodyTooLarge(HTTPException):
    """The body is longer than this address takes; a web framework's exception, so that body parsers let it pass."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(413, detail=f"The body is longer than the {limit_bytes} bytes this address takes.")


HTTP_ERRORS: dict[int, tuple[str, str]] = {
    400: ("bad_request", "The request cannot be read"),
    401: ("not_authenticated", "Sign in first"),
    403: ("forbidden", "Not allowed"),
    404: ("not_found", "Not found"),
    405: ("method_not_allowed", "This address does not take that method"),
    413: ("body_too_large", "The body is too large"),
    415: ("unsupported_media_type", "This address does not take that content type"),
}
"""Code and title of the errors that the web framework raises by itself."""


def problem_response(
    scope: Scope, *, status: int, code: str, title: str, detail: str, headers: dict[str, str] | None = None,
    extra: dict[str, Any] | None = None,
) -> Response:
    """Render one problem document; text that JSON cannot hold is made readable instead of failing."""
    document: dict[str, Any] = {
        **(extra or {}),
        "type": TYPE_PREFIX + code, "title": title, "status": status, "detail": detail, "code": code,
        "instance": scope["path"], "request_id": scope.get("state", {}).get("request_id"),
    }
    try:
        content = orjson.dumps(document, default=str)
    except TypeError:
        content = orjson.dumps(_printable(document), default=str)
    return Response(content, status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def render(scope: Scope, problem: Problem) -> Response:
    """Render a problem that our own code raised."""
    return problem_response(scope, status=problem.status, code=problem.code, title=problem.title,
                            detail=problem.detail, headers=problem.headers, extra=problem.extra)


def render_unexpected(scope: Scope) -> Response:
    """Render a failure of the server itself: nothing of its inside, but the request id that finds it in the log."""
    return problem_response(
        scope, status=500, code=Problem.code, title=Problem.title,
        detail="The server failed on this request. Try again; if it goes on, give the request id to whoever runs it: "
               "the log says more.",
    )


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and abs(value) > BIGGEST_INTEGER:
        return "a number of more than 64 bits"
    if isinstance(value, dict):
        entries = cast("dict[Any, Any]", value).items()
        return {_printable(str(name)): _printable(item) for name, item in entries}
    if isinstance(value, (list, tuple, set)):
        return [_printable(item) for item in cast("list[Any]", value)]
    return value


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"


def _reason(error: dict[str, Any]) -> str:
    """Say what is wrong with a field in words that never repeat what was sent."""
    kind, context = error["type"], error.get("ctx") or {}
    if kind == "json_invalid":
        return f"is not valid JSON at character {error['loc'][-1]}: {context.get('error', '')}"
    if kind == "union_tag_invalid":
        return f"must be of one of these kinds: {context.get('expected_tags', '')}"
    if error["loc"] == ("body",) and kind in {"missing", "model_attributes_type", "dict_type"}:
        return "must be a JSON object, sent with Content-Type: application/json"
    if kind == "extra_forbidden":
        return "is not a field of this request"
    return _short(str(error["msg"]).removeprefix("Value error, "))


def _describe(error: dict[str, Any]) -> dict[str, str]:
    place, *path = [str(part) for part in error["loc"]] or ["body"]
    field = ".".join(path) if path and error["type"] != "json_invalid" else place
    return {"field": _short(field), "in": place, "reason": _reason(error)}


async def render_invalid(request: Request, error: Exception) -> Response:
    """Name each field that is wrong and why; at most twenty of them, and never what was sent."""
    found = cast("RequestValidationError", error).errors()
    errors = [_describe(each) for each in found[:MAX_ERRORS]]
    first = errors[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return problem_response(
        request.scope, status=InvalidRequest.status, code=InvalidRequest.code, title=InvalidRequest.title,
        detail=f"{first['field']}: {first['reason']}{more}", extra={"errors": errors},
    )


async def render_problem(request: Request, error: Exception) -> Response:
    """Render a problem that a package raised; a database that refused is worth a line in the log."""
    if isinstance(error, DatabaseUnavailable):
        log.warning("database.unavailable", sqlstate=sqlstate_of(error) or None, error=repr(error.__cause__ or error))
    return render(request.scope, cast("Problem", error))


def _unreadable(cause: BaseException | None) -> str:
    if isinstance(cause, UnicodeDecodeError):
        return "The body is not valid UTF-8."
    if isinstance(cause, RecursionError):
        return "The body is nested too deeply."
    return "The body cannot be read: it must be valid JSON (or a valid form, where one is asked for)."


async def render_http(request: Request, error: Exception) -> Response:
    """Render what the web framework refuses by itself: unknown addresses, methods, unreadable or too long bodies."""
    refused = cast("HTTPException", error)
    status, method, path = refused.status_code, request.method, request.scope["path"]
    code, title = HTTP_ERRORS.get(status, (f"http_{status}", HTTPStatus(status).phrase))
    detail = str(refused.detail)
    if status == 404:
        detail = f"There is nothing at {path}. GET / lists the addresses of this server."
    elif status == 405:
        allowed = (refused.headers or {}).get("Allow", "another method")
        detail = f"{path} does not take {method}; it takes {allowed}."
    elif status == 400:
        detail = _unreadable(refused.__cause__)
    return problem_response(request.scope, status=status, code=code, title=title, detail=detail,
                            headers=dict(refused.headers or {}))


async def render_undecodable(request: Request, error: Exception) -> Response:
    """Refuse text that is no Unicode, wherever it was found."""
    del error
    return render(request.scope, InvalidRequest("The request contains text that is not valid Unicode."))


async def render_failure(request: Request, error: Exception) -> Response:
    """Render a failure outside of the routes; the server logs it after this answer."""
    del error
    return render_unexpected(request.scope)


async def render_database(request: Request, error: Exception) -> Response:
    """Render what the database refused: as the sender's mistake, or as a time to come again, where it is one."""
    meaning, code = meaning_of(error), sqlstate_of(error)
    if meaning is Meaning.UNAVAILABLE:
        log.warning("database.unavailable", sqlstate=code, error=type(error).__name__)
        return render(request.scope, unavailable(error))
    if meaning is Meaning.CONFLICT:
        log.warning("database.conflict", sqlstate=code)
        return render(request.scope, StoredElsewise(
            "This contradicts something stored a moment ago (a name that is taken, or something deleted). "
            "Load it again and repeat the change."))
    if meaning is Meaning.BAD_INPUT:
        log.warning("database.refused_value", sqlstate=code)
        return render(request.scope, InvalidRequest("A value of this request is outside of what can be stored."))
    log.error("request.failed", exc_info=error)
    return render_unexpected(request.scope)


def add_problem_handlers(app: FastAPI) -> None:
    """Make this module answer for every kind of error; `UnexpectedErrors` answers for the rest."""
    app.add_exception_handler(Problem, render_problem)
    app.add_exception_handler(RequestValidationError, render_invalid)
    app.add_exception_handler(HTTPException, render_http)
    app.add_exception_handler(UnicodeError, render_undecodable)
    for refusal in (DBAPIError, NoConnectionFree, asyncpg.PostgresError, asyncpg.InterfaceError,
                    asyncpg.InternalClientError):
        app.add_exception_handler(refusal, render_database)
    app.add_exception_handler(Exception, render_failure)
