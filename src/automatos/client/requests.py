"""Requests as both clients send them, without the HTTP library: where to, what, and the page that follows."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

from automatos import __version__

TIMEOUT_S = 60.0
STREAM_SILENCE_S = 40.0
"""The server speaks at least every 15 s; a stream that is silent longer is dead."""
PAUSES_S = (0.2, 0.5, 1.0, 2.0)
PASSING = frozenset({429, 502, 503, 504})
"""Answers that may be another one in a moment."""
OWN_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, with `body` as JSON or `content` as it is; what is None in the query is left out."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict[str, Any])
    body: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def may_repeat(self) -> bool:
        """Whether sending it twice does what sending it once does."""
        return self.method == "GET" or "Idempotency-Key" in self.headers

    def parts(self) -> dict[str, Any]:
        """Return it as the HTTP library takes it."""
        known = {name: _queried(value) for name, value in self.query.items() if value is not None}
        payload = self.content if self.body is None else json.dumps(self.body).encode()
        kind = {} if self.body is None else {"Content-Type": "application/json"}
        return {"method": self.method, "url": self.path, "params": known or None, "content": payload,
                "headers": {**kind, **self.headers}}


@dataclass(frozen=True, slots=True)
class Place:
    """Which server, who asks, and for which workspace."""

    url: str
    headers: Mapping[str, str] = field(repr=False)

    def options(self) -> dict[str, Any]:
        """Return what the HTTP library is opened with; a proxy of the environment never stands before this machine."""
        return {"base_url": self.url, "headers": self.headers,
                "trust_env": urlsplit(self.url).hostname not in OWN_MACHINE}


def place_of(
    url: str | None, api_key: str | None, token: str | None, workspace_id: str | None,
    headers: Mapping[str, str] | None,
) -> Place:
    """Return where to send requests; without a URL what AUTOMATOS_URL and AUTOMATOS_API_KEY say.

    The key of the environment belongs to the server of the environment and is sent to no other; raises ValueError for
    what is no address.
    """
    if url is None:
        url = os.environ.get("AUTOMATOS_URL") or "http://127.0.0.1:8000"
        api_key = api_key or (None if token else os.environ.get("AUTOMATOS_API_KEY")) or None
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise ValueError(f"{url!r} is no server's address; it looks like http://127.0.0.1:8000")
    given = {"X-API-Key": api_key, "Authorization": f"Bearer {token}" if token else None,
             "X-Workspace-ID": workspace_id}
    own = {"User-Agent": f"automatos-client/{__version__}", "Accept": "application/json"}
    return Place(url.rstrip("/"), own | {name: value for name, value in given.items() if value} | dict(headers or {}))


def next_page(query: Mapping[str, Any], page: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the query of the page after this one, None after the last, whichever way a list is paged."""
    for told, asked in (("next_cursor", "cursor"), ("next_after", "after")):
        if told in page:
            return None if page[told] is None else {**query, asked: page[told]}
    for name in ("skip", "offset"):
        if name in page and page["items"] and (reached := page[name] + len(page["items"])) < page["total"]:
            return {**query, name: reached}
    return None


def start_of_recipe(template_id: str, inputs: Mapping[str, Any] | None, idempotency_key: str | None) -> Call:
    """Return the call that starts a recipe, once however often it is sent."""
    return Call(method="POST", path=f"/api/workflow-recipes/{part(template_id)}/execute",
                body={"input_data": dict(inputs or {})}, headers=_once(idempotency_key))


def start_of_agent(agent_id: int, prompt: str, options: Mapping[str, Any], idempotency_key: str | None) -> Call:
    """Return the call that gives an agent a task, once however often it is sent."""
    return Call(method="POST", path=f"/api/agents/{part(agent_id)}/execute", body={"prompt": prompt, **options},
                headers=_once(idempotency_key))


def start_of_fork(
    run_id: str, from_step: str, inputs: Mapping[str, Any] | None, idempotency_key: str | None
) -> Call:
    """Return the call that begins a run again at a step, once however often it is sent."""
    return Call(method="POST", path=f"/api/runs/{part(run_id)}/fork", headers=_once(idempotency_key),
                body={"from_step": from_step, "input_data": dict(inputs or {})})


def part(value: object) -> str:
    """Write a value as one part of a path."""
    return quote(str(value), safe="")


def _once(idempotency_key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": idempotency_key or str(uuid4())}


def _queried(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
