"""Agents by the thousand: how fast they are made, read, changed, listed, activated and removed through the API."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import Any

import orjson

from bench.load import Target, percentile
from bench.measures import Figures, Lab
from bench.systems import System
from bench.wire import request

CONNECTIONS = 8
BATCH = 100
STOP = {"status": "inactive"}
LISTS = {
    "first page of 100": "limit=100",
    "page of 100 in the middle": "limit=100&skip={half}",
    "filter by status and type": "limit=100&status=inactive&agent_type=data_analyst",
    "search in names": "limit=100&search=agent%2077",
    "sort by name": "limit=100&sort=name",
    "stats": "",
}


async def agents(lab: Lab, system: System) -> Figures:
    """Fill a workspace with agents, then time every verb on single ones among them."""
    api = _Api(system.target)
    count, samples = lab.sizes.agents, lab.sizes.samples * 5
    figures: Figures = {}
    begin = time.perf_counter()
    bulks = ({"agents": [_agent(f"Agent {first + n}") for n in range(BATCH)]} for first in range(0, count, BATCH))
    await api.all((("POST", "/api/agents/bulk", body) for body in bulks), 201)
    figures["agents: made in bulk of 100, agents/s"] = count / (time.perf_counter() - begin)
    solos = (("POST", "/api/agents", _agent(f"Solo {number}")) for number in range(samples))
    made, created = await api.timed("create", solos, 201)
    figures |= created
    ids = [agent["id"] for agent in made]
    verbs: dict[str, tuple[Iterable[tuple[str, str, Any]], int]] = {
        "read": ((("GET", f"/api/agents/{one}", None) for one in ids), 200),
        "change": ((("PUT", f"/api/agents/{one}", {"description": "changed"}) for one in ids), 200),
        "activate": ((("POST", f"/api/agents/{one}/activate", None) for one in ids), 200),
        "preview of a stop": ((("POST", f"/api/agents/{one}/status/preview", STOP) for one in ids), 200),
        "deactivate": ((("POST", f"/api/agents/{one}/deactivate", None) for one in ids), 200),
        "delete": ((("DELETE", f"/api/agents/{one}", None) for one in ids), 204),
    }
    for name, (requests, expected) in verbs.items():
        figures |= (await api.timed(name, requests, expected))[1]
    for name, query in LISTS.items():
        path = f"/api/agents?{query.format(half=count // 2)}" if query else "/api/agents/stats"
        asked = (("GET", path, None) for _ in range(lab.sizes.samples))
        figures |= (await api.timed(f"list of {count}, {name}", asked, 200, connections=1))[1]
    return figures


def _agent(name: str) -> dict[str, Any]:
    return {"name": name, "agent_type": "data_analyst", "tags": ["bench"], "tools": ["calculator"],
            "model_config": {"provider": "openai", "model_id": "fake-model"},
            "configuration": {"max_concurrent_tasks": 3}}


class _Api:
    """Sends requests over a few connections that stay open."""

    def __init__(self, target: Target) -> None:
        self._target = target

    async def all(
        self, requests: Iterable[tuple[str, str, Any]], expected: int, connections: int = CONNECTIONS
    ) -> tuple[list[Any], list[float]]:
        """Send every request and return the decoded answers and the seconds each took, in order of completion."""
        waiting: Iterator[tuple[str, str, Any]] = iter(requests)
        answers: list[Any] = []
        seconds: list[float] = []

        async def send() -> None:
            async with self._target.connect() as connection:
                for method, path, body in waiting:
                    raw = request(method, path, self._target.host, self._target.headers,
                                  b"" if body is None else orjson.dumps(body))
                    begin = time.perf_counter()
                    answer = await connection.send(raw, expected)
                    seconds.append(time.perf_counter() - begin)
                    answers.append(orjson.loads(answer) if answer else None)

        await asyncio.gather(*(send() for _ in range(connections)))
        return answers, seconds

    async def timed(
        self, name: str, requests: Iterable[tuple[str, str, Any]], expected: int, connections: int = CONNECTIONS
    ) -> tuple[Sequence[Any], Figures]:
        """Send every request and return the answers with the figures of it: requests a second, p50, p95."""
        begin = time.perf_counter()
        answers, seconds = await self.all(requests, expected, connections)
        took = time.perf_counter() - begin
        return answers, {
            f"agents: {name}, requests/s": len(seconds) / took, f"agents: {name}, p50": median(seconds) * 1000,
            f"agents: {name}, p95": percentile(seconds, 95) * 1000,
        }
