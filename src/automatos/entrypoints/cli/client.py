"""The one HTTP client of the commands: small, blocking, with errors that say what to do next."""

import http.client
import json
import re
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from automatos import __version__
from automatos.entrypoints.cli.access import Access, find_access
from automatos.entrypoints.cli.console import CommandFailed, Exit, misuse

TIMEOUT_S = 60.0
UNREACHABLE = (OSError, http.client.HTTPException)
NEXT_STEPS = {
    "stale_edit": "give the same command again to see what would change now",
    "impact_not_confirmed": "to see what it touches and be asked: automatos agent stop AGENT",
    "agent_not_eligible": "to make it take work: automatos agent activate AGENT, or resume AGENT",
    "skill_in_use": "to take it from the agents that have it: add --force",
}
"""What to do in the terminal about problems of these codes."""


LISTS = re.compile(r"(?:List them with GET (?P<path>/api/[^\s.;]+)|GET (?P<other>/api/[^\s.;]+) lists [^.;]+)\.?")
LISTED_BY = {
    "/api/workflow-recipes": "automatos recipe list", "/api/runs": "automatos run list",
    "/api/credentials": "automatos credential list", "/api/workspaces": "automatos workspace list",
    "/api/api-keys": "automatos api-key list", "/api/models": "automatos model list",
}
"""What a person at a terminal does instead of a request that a message names."""


class NoServer(CommandFailed):
    """Nothing answers at the server's address."""

    def __init__(self, url: str) -> None:
        super().__init__(f"no server answers at {url}", "start one with: automatos up",
                         "or name another with AUTOMATOS_URL", code=Exit.NO_SERVER)


class SignInNeeded(CommandFailed):
    """The server wants to know who asks."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, "sign in with: automatos auth login",
                         "on the server's own machine, without a password: automatos auth login --local",
                         code=Exit.SIGN_IN_NEEDED)


class Refused(CommandFailed):
    """The server answered with a problem; `status` and `problem` are what it said."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.problem = problem
        told = problem.get("detail") or problem.get("title") or f"the server answered {status}"
        said, listed_by = _without_request(told)
        next_step = NEXT_STEPS.get(problem.get("code", "")) or listed_by
        super().__init__(said, *(line for line in _faults(problem) if line not in said),
                         *([next_step] if next_step else []), *_request_id(problem))


def _without_request(said: str) -> tuple[str, str | None]:
    """Return a message without its sentence on which request lists things, and the command that lists them."""
    found = LISTS.search(said)
    if found is None:
        return said, None
    command = LISTED_BY.get((found["path"] or found["other"]).partition("?")[0])
    return LISTS.sub("", said).strip(), f"list them with: {command}" if command else None


def _faults(problem: dict[str, Any]) -> list[str]:
    """Return each fault of the input that the server named, with its place."""
    lines = list[str]()
    for fault in (problem.get("faults") or problem.get("errors") or [])[:20]:
        if isinstance(fault, str):
            lines.append(fault)
            continue
        where = fault.get("where") or fault.get("field") or fault.get("loc") or ""
        where = ".".join(map(str, where)) if isinstance(where, list) else where
        position = f" (line {fault['line']}, column {fault['column']})" if "line" in fault else ""
        lines.append(f"{where}{position}: {fault.get('message') or fault.get('reason') or fault.get('msg')}")
    return lines


def _request_id(problem: dict[str, Any]) -> list[str]:
    found = problem.get("request_id")
    return [f"request {found}; the server's log has more"] if found and problem.get("status", 0) >= 500 else []


@dataclass(frozen=True)
class Answer:
    """A response: status, headers by lower-case name, and the decoded body."""

    status: int
    headers: dict[str, str]
    body: Any


class Client:
    """One user's access to one server."""

    def __init__(self, access: Access | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self.access = access or find_access()
        self._timeout_s = timeout_s
        self._address = urlsplit(self.access.url)
        if self._address.scheme not in {"http", "https"} or not self._address.hostname:
            misuse(f"{self.access.url!r} is no server's address", "it looks like http://127.0.0.1:8000")

    @property
    def url(self) -> str:
        """The server's address."""
        return self.access.url

    def get(self, path: str, **query: Any) -> Any:
        """Read something; what is None is left out of the query."""
        return self.call("GET", path, query=query).body

    def post(self, path: str, body: Any = None) -> Any:
        """Send something."""
        return self.call("POST", path, body=body).body

    def put(self, path: str, body: Any, *, version: int | None = None) -> Any:
        """Save something; with `version` only if that is what the server still has."""
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        return self.call("PUT", path, body=body, headers=headers).body

    def delete(self, path: str, **query: Any) -> Any:
        """Remove something; what is None is left out of the query."""
        return self.call("DELETE", path, query=query).body

    def upload(self, path: str, content: bytes, kind: str) -> Any:
        """Send bytes of a media type."""
        return self.call("POST", path, content=content, headers={"Content-Type": kind}).body

    def call(
        self, method: str, path: str, *, body: Any = None, content: bytes | None = None,
        query: dict[str, Any] | None = None, headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send one request, with `body` as JSON or `content` as it is, and return its answer.

        Raises:
            NoServer, SignInNeeded, Refused: as their names say.
        """
        known = {name: _queried(value) for name, value in (query or {}).items() if value is not None}
        target = f"{path}?{urlencode(known)}" if known else path
        payload = json.dumps(body).encode() if body is not None else content
        sent = {"Content-Type": "application/json"} if body is not None else {}
        try:
            response = self.open(method, target, payload, sent | (headers or {}), self._timeout_s)
            raw = response.read()
        except UNREACHABLE as error:
            raise NoServer(self.url) from error
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, _decode(raw))
        if answer.status >= 400:
            raise refusal(answer.status, answer.body)
        return answer

    def open(
        self, method: str, target: str, payload: bytes | None, headers: dict[str, str], timeout_s: float
    ) -> http.client.HTTPResponse:
        """Send one request and return the response unread; raises what `UNREACHABLE` names."""
        secure = self._address.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self._address.hostname or "", self._address.port, timeout=timeout_s)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        own = {"User-Agent": f"automatos-cli/{__version__}", "Accept": "application/json", "Connection": "close"}
        connection.request(method, self._address.path + target, payload, own | self.access.headers() | headers)
        return connection.getresponse()


def refusal(status: int, body: Any) -> CommandFailed:
    """Return the error that an answer from 400 on stands for."""
    problem: dict[str, Any] = body if isinstance(body, dict) else {"detail": str(body)[:500]}
    if status == 401:
        return SignInNeeded(problem.get("detail") or "the server asks for a sign-in")
    return Refused(status, problem)


def _queried(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _decode(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")


def part(value: object) -> str:
    """Write a value as one part of a path."""
    return quote(str(value), safe="")
