"""The commands' access to the server: the official client, with errors that say what to do next at a terminal."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from automatos import __version__
from automatos import client as official
from automatos.cli.access import Access, find_access
from automatos.cli.console import CommandFailed, Exit, misuse

TIMEOUT_S = 60.0
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
        super().__init__(said, *(line for line in faults_in(problem) if line not in said),
                         *([next_step] if next_step else []), *_request_id(problem))


def _without_request(said: str) -> tuple[str, str | None]:
    """Return a message without its sentence on which request lists things, and the command that lists them."""
    found = LISTS.search(said)
    if found is None:
        return said, None
    command = LISTED_BY.get((found["path"] or found["other"]).partition("?")[0])
    return LISTS.sub("", said).strip(), f"list them with: {command}" if command else None


def faults_in(problem: dict[str, Any]) -> list[str]:
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


class Client:
    """One user's access to one server."""

    def __init__(self, access: Access | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self.access = access or find_access()
        address = urlsplit(self.access.url)
        if address.scheme not in {"http", "https"} or not address.hostname:
            misuse(f"{self.access.url!r} is no server's address", "it looks like http://127.0.0.1:8000")
        own = {"User-Agent": f"automatos-cli/{__version__}", "Connection": "close"}
        self.official = official.Client(
            self.access.url, headers=own | self.access.headers(), timeout_s=timeout_s, retries=0)

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
    ) -> official.Answer:
        """Send one request, with `body` as JSON or `content` as it is, and return its answer.

        Raises:
            NoServer, SignInNeeded, Refused: as their names say.
        """
        with self.as_failures():
            return self.official.send(official.Call(
                method=method, path=path, body=body, content=content, query=query or {}, headers=headers or {}))

    def follow(self, run_id: str) -> Generator[official.RunEvent]:
        """Yield a run's events until it is over; a lost connection is taken up after the last fact.

        Raises:
            NoServer: none answered for a minute.
            SignInNeeded, Refused: the server will not show this run.
        """
        with self.as_failures():
            yield from self.official.follow(run_id)

    @contextmanager
    def as_failures(self) -> Generator[None]:
        """Turn what the official client raises into errors for people at a terminal."""
        try:
            yield
        except official.Unreachable as error:
            raise NoServer(self.url) from error
        except official.ApiProblem as problem:
            raise refusal(problem.status, dict(problem.document)) from problem


def refusal(status: int, problem: dict[str, Any]) -> CommandFailed:
    """Return the error that an answer from 400 on stands for."""
    if status == 401:
        return SignInNeeded(problem.get("detail") or "the server asks for a sign-in")
    return Refused(status, problem)
