"""The product's HTTP API as chaos tests and benchmarks use it: set up, apply a recipe, execute, follow."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
import orjson

from tests.recorded_events import require_known

TERMINAL = frozenset({
    "execution.completed", "execution.completed_with_skips", "execution.failed", "execution.cancelled",
})
OWNER = {"email": "owner@example.com", "name": "Owner", "password": "correct horse battery staple"}
TIMEOUT = aiohttp.ClientTimeout(total=60)
STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5)
RECONNECT_S = 0.1


class Refused(AssertionError):
    """The server answered with an error; `status` and `problem` are what it said."""

    def __init__(self, method: str, path: str, status: int, text: str) -> None:
        super().__init__(f"{method} {path} answered {status}: {text[:1000]}")
        self.status = status
        with contextlib.suppress(orjson.JSONDecodeError):
            self.problem = orjson.loads(text)


@dataclass(frozen=True)
class Event:
    """One event as it arrived."""

    seq: int
    type: str
    data: dict[str, Any]


@dataclass
class Follower:
    """Follows one execution's event stream, records every fact, and goes on after the last one it has seen.

    `texts` are the answers that are being written or were, by step and turn, put together as the events say.
    """

    session: aiohttp.ClientSession
    url: str
    events: list[Event] = field(default_factory=list)
    texts: dict[tuple[int, int], str] = field(default_factory=dict)

    @property
    def last_seq(self) -> int:
        """The last sequence number seen, 0 before the first event."""
        return self.events[-1].seq if self.events else 0

    @property
    def types(self) -> list[str]:
        """The types of the events seen, in order of arrival."""
        return [event.type for event in self.events]

    @property
    def is_ended(self) -> bool:
        """Whether the terminal event has arrived."""
        return bool(self.events) and self.events[-1].type in TERMINAL

    @property
    def is_gapless(self) -> bool:
        """Whether every event arrived exactly once and in order, from 1 on."""
        return [event.seq for event in self.events] == list(range(1, len(self.events) + 1))

    def data_of(self, kind: str) -> list[dict[str, Any]]:
        """Return the data of every event of a type."""
        return [event.data for event in self.events if event.type == kind]

    async def until(self, kind: str, timeout_s: float = 60) -> Event:
        """Read on until an event of this type has newly arrived, and disconnect; reconnects when the stream breaks."""
        async with asyncio.timeout(timeout_s):
            while not self.is_ended:
                if await self._read(lambda told: told == kind):
                    return self.events[-1]
        raise AssertionError(f"the stream ended before {kind}: {self.types}")

    async def until_end(self, timeout_s: float = 60.0) -> Event:
        """Read on until the terminal event; reconnects with Last-Event-ID for as long as the server is away."""
        async with asyncio.timeout(timeout_s):
            while not self.is_ended:
                await self._read(lambda _: False)
        return self.events[-1]

    async def until_text(self, least: int, timeout_s: float = 60) -> None:
        """Read on until so many characters of the first step's first answer were told while it was written."""
        async with asyncio.timeout(timeout_s):
            while len(self.texts.get((1, 1), "")) < least and not self.is_ended:
                await self._read(lambda _: len(self.texts.get((1, 1), "")) >= least)

    async def _read(self, is_wanted: Callable[[str], bool]) -> bool:
        """Read one connection's worth of events; True when a wanted type arrived, False when the stream broke."""
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(self.last_seq)}
        try:
            async with self.session.get(self.url, headers=headers, timeout=STREAM_TIMEOUT) as response:
                if 400 <= response.status < 500:
                    raise Refused("GET", self.url, response.status, await response.text())
                async for raw in response.content:
                    if raw.startswith(b"data:") and is_wanted(self._record(raw[5:])):
                        return True
        except aiohttp.ClientError:
            pass
        if not self.is_ended:
            await asyncio.sleep(RECONNECT_S)
        return False

    def _record(self, raw: bytes) -> str:
        frame = orjson.loads(raw)
        require_known(frame["type"], frame["data"])
        if frame["seq"] == 0:
            self._write(frame["type"], frame["data"])
            return frame["type"]
        if frame["type"] == "execution.recovered":
            self.texts.clear()
        self.events.append(Event(frame["seq"], frame["type"], frame["data"]))
        return frame["type"]

    def _write(self, kind: str, data: dict[str, Any]) -> None:
        turn = (data["order"], data["turn"])
        so_far = self.texts.get(turn, "") if kind == "step.delta" else ""
        self.texts[turn] = so_far + data["text"]


class Client:
    """One caller with an API key of one workspace."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.key = key
        self.session = aiohttp.ClientSession(
            headers={"X-API-Key": key}, timeout=TIMEOUT, read_bufsize=4 * 1024 * 1024,
            connector=aiohttp.TCPConnector(limit=0),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Send one request and return its decoded answer; raises Refused for every status from 400 on."""
        return await _call(self.session, method, self.url + path, body, headers)

    async def apply(self, recipe_file: dict[str, Any]) -> Any:
        """Create or update the agents and the recipe of one recipe file."""
        return await self.call("POST", "/api/workflow-recipes/apply", recipe_file)

    async def execute(self, template_id: str, input_data: dict[str, Any], idempotency_key: str | None = None) -> str:
        """Queue one execution and return its id."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else None
        path = f"/api/workflow-recipes/{template_id}/execute"
        return (await self.call("POST", path, {"input_data": input_data}, headers))["recipe_execution_id"]

    async def run(self, execution_id: str) -> Any:
        """Return one execution with its steps and turns."""
        return await self.call("GET", f"/api/runs/{execution_id}")

    async def cancel(self, execution_id: str) -> Any:
        """Ask for the end of one execution."""
        return await self.call("POST", f"/api/runs/{execution_id}/cancel")

    async def stored_events(self, execution_id: str) -> list[Event]:
        """Return the stored event log of one execution."""
        page = await self.call("GET", f"/api/runs/{execution_id}/events.json?after=0&limit=1000")
        return [Event(item["seq"], item["type"], item["data"]) for item in page["items"]]

    def follow(self, execution_id: str) -> Follower:
        """Return a follower of one execution; it connects when it is asked to read."""
        return Follower(self.session, f"{self.url}/api/runs/{execution_id}/events")


async def set_up(url: str) -> Client:
    """Create the owner of a new server and an API key of the owner's workspace; return the client that uses it."""
    cookies = aiohttp.CookieJar(unsafe=True)  # of an address without a name
    headers = {"X-Requested-With": "automatos"}
    async with aiohttp.ClientSession(timeout=TIMEOUT, headers=headers, cookie_jar=cookies) as session:
        await _call(session, "POST", f"{url}/api/setup", OWNER)
        key = await _call(session, "POST", f"{url}/api/api-keys", {"name": "whole machine", "role": "owner"})
    return Client(url, key["key"])


async def is_healthy(url: str) -> bool:
    """Whether /health answers 200 right now."""
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/health") as response:
            return response.status == 200
    except (aiohttp.ClientError, OSError):
        return False


def three_step_recipe(template_id: str = "three-steps", *, name: str = "", model: str = "fake-model") -> dict[str, Any]:
    """Return a recipe file of three agents in a row, the first with the calculator; see `CALCULATE` for its input."""
    agents = [f"{template_id} {part}" for part in ("reckoner", "writer", "editor")]
    prompts = ["{input.task}", "Write a line about: {reckoned}", "Improve this line: {written}"]
    keys = ["reckoned", "written", "edited"]
    return {
        "apiVersion": "automatos/v1",
        "kind": "Recipe",
        "agents": [
            {"name": agent, "description": "Part of a scripted recipe.", "agent_type": "custom",
             "prompt": "You do one thing.", "model_config": {"provider": "openai", "model_id": model},
             "tools": ["calculator"] if position == 0 else []}
            for position, agent in enumerate(agents)
        ],
        "recipe": {
            "template_id": template_id,
            "name": name or template_id,
            "description": "Three steps, four model calls, one tool call.",
            "tags": [],
            "inputs": {"task": {"type": "string", "required": True, "description": "What the first agent does."}},
            "steps": [
                {"step_id": f"step-{order}", "agent": agent, "prompt_template": prompt, "output_key": key}
                for order, (agent, prompt, key) in enumerate(zip(agents, prompts, keys, strict=True), start=1)
            ],
            "execution_config": {},
        },
    }


CALCULATE = {"task": 'use tool calculator {"expression": "6*7"}'}
"""The input with which the scripted model server's first answer calls the calculator; 42 flows to the last output."""


async def _call(
    session: aiohttp.ClientSession, method: str, url: str, body: Any = None, headers: dict[str, str] | None = None
) -> Any:
    async with session.request(method, url, json=body, headers=headers) as response:
        text = await response.text()
        if response.status >= 400:
            raise Refused(method, url, response.status, text)
        return orjson.loads(text) if text else None
