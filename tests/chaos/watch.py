"""People who go on using a server while its database refuses: what each request was answered."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from secrets import token_hex
from typing import Any
from uuid import uuid4

import orjson

from tests.chaos.client import Client

PEOPLE = 3
LOOK_S = 0.25
PROMPT_BYTES = 20_000
TEMPLATE_ID = "three-steps"


@dataclass(frozen=True)
class Answered:
    """One answer to one request."""

    request: str
    status: int
    body: dict[str, Any]
    retry_after: str | None

    @property
    def is_refusal(self) -> bool:
        return self.status == 503


@dataclass
class Watch:
    """Everything that was answered while people were there."""

    client: Client
    reads: list[str]
    answers: list[Answered] = field(default_factory=list)
    health: list[tuple[int, str]] = field(default_factory=list)

    @property
    def refusals(self) -> list[Answered]:
        return [each for each in self.answers if each.is_refusal]

    async def until_health(self, status: int, timeout_s: float = 60) -> None:
        """Wait until /health newly answers with a status."""
        seen = len(self.health)
        async with asyncio.timeout(timeout_s):
            while not any(found == status for found, _ in self.health[seen:]):
                await asyncio.sleep(LOOK_S / 5)

    async def ask(self, method: str, path: str, body: Any = None) -> Answered:
        """Send one request and note its answer."""
        async with self.client.session.request(method, self.client.url + path, json=body) as response:
            text = await response.text()
            with contextlib.suppress(orjson.JSONDecodeError):
                text = orjson.loads(text)
            told = text if isinstance(text, dict) else {"text": text}
            answer = Answered(f"{method} {path}", response.status, told, response.headers.get("Retry-After"))
        self.answers.append(answer)
        return answer

    async def use(self, start: int) -> None:
        """Go through everything that can be read, and change something between any two of them."""
        for turn in count(start):
            await self.ask("GET", self.reads[turn % len(self.reads)])
            await _change(self, turn)

    async def look(self) -> None:
        """Ask for the health of the server, over and over."""
        while True:
            async with self.client.session.get(f"{self.client.url}/health") as response:
                report = orjson.loads(await response.read())
            self.health.append((response.status, str(report["components"]["database"].get("detail"))))
            await asyncio.sleep(LOOK_S)


async def _change(watch: Watch, turn: int) -> None:
    name = uuid4().hex[:8]
    match turn % 4:
        case 0:
            told = token_hex(PROMPT_BYTES)  # finds no room in what is already there
            made = await watch.ask("POST", "/api/agents", {"name": f"Agent {name}", "agent_type": "custom",
                                                           "custom_persona_prompt": told})
            if made.status == 201:
                await watch.ask("DELETE", f"/api/agents/{made.body['id']}")
        case 1:
            made = await watch.ask("POST", "/api/api-keys", {"name": f"Key {name}", "role": "viewer"})
            if made.status == 201:
                await watch.ask("DELETE", f"/api/api-keys/{made.body['id']}")
        case 2:
            await watch.ask("POST", f"/api/runs/{uuid4()}/cancel")
        case _:
            person = {"email": f"{name}@example.com", "password": "not the password"}
            await watch.ask("POST", "/api/auth/sign-in", person)


@asynccontextmanager
async def watching(client: Client) -> AsyncGenerator[Watch]:
    """Let people use the server, and look at its health, until the block ends; a person who fails fails the block."""
    described = await client.call("GET", "/api/openapi.json")
    watch = Watch(client, readable(described))
    async with asyncio.TaskGroup() as group:
        people = [group.create_task(watch.use(number * 7)) for number in range(PEOPLE)]
        people.append(group.create_task(watch.look()))
        yield watch
        for person in people:
            person.cancel()


def readable(described: dict[str, Any]) -> list[str]:
    """Return every address that can be read without knowing an id."""
    found = []
    for path, methods in described["paths"].items():
        needs = [one["name"] for one in methods.get("get", {}).get("parameters", []) if one.get("required")]
        if "get" in methods and "{" not in path and not needs and path not in {"/health", "/"}:
            found.append(path)
    assert len(found) > 20, found
    return found
