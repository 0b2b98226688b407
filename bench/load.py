"""The load generator: executes the recipe, follows its stream to the end, checks the output, notes the times."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from bench.wire import Connection, request
from tests.chaos.client import CALCULATE, TERMINAL

FLOWED = ("42", "Write a line about", "Improve this line")
"""What the last output must hold: the first step's tool result and the words of the two later prompts."""


class WrongOutput(Exception):
    """An execution ended, but not with the output that its steps should have made."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One execution as its client saw it, in seconds since the first byte of the POST was written."""

    accepted: float
    first_event: float
    total: float


@dataclass(frozen=True)
class Target:
    """Where to send executions, and the requests, written once."""

    port: int
    headers: dict[str, str] = field(default_factory=dict)
    recipes: Sequence[str] = ("three-steps",)

    @property
    def host(self) -> str:
        """The Host header."""
        return f"127.0.0.1:{self.port}"

    def execute(self, number: int) -> bytes:
        """Return the request that executes a recipe; clients are spread over the copies of it."""
        path = f"/api/workflow-recipes/{self.recipes[number % len(self.recipes)]}/execute"
        return request("POST", path, self.host, self.headers, orjson.dumps({"input_data": CALCULATE}))

    def events(self, execution_id: str) -> bytes:
        """Return the request that follows an execution from its first event."""
        return request("GET", f"/api/runs/{execution_id}/events", self.host, self.headers)

    def connect(self) -> Connection:
        """Return a connection to the target; it opens on entry."""
        return Connection("127.0.0.1", self.port)


class Client:
    """One caller: executes on one connection and follows on another, both kept open."""

    def __init__(self, target: Target, number: int = 0) -> None:
        self._target = target
        self._execute = target.execute(number)
        self._posts, self._stream = target.connect(), target.connect()

    async def run(self) -> Timing:
        """Execute once and return the times; raises WrongOutput unless the outputs flowed through all steps."""
        await self._posts.open()
        await self._stream.open()
        begin = time.perf_counter()
        execution_id = orjson.loads(await self._posts.send(self._execute, 202))["recipe_execution_id"]
        accepted = time.perf_counter() - begin
        first = total = 0.0
        async for frame in self._stream.follow(self._target.events(execution_id)):
            if not first and frame.type != "execution.queued":
                first = time.perf_counter() - begin
            if frame.type in TERMINAL:
                total = time.perf_counter() - begin
                _check(frame.type, frame.json()["data"])
        if not total:
            raise WrongOutput(f"the stream of {execution_id} ended without a terminal event")
        return Timing(accepted, first, total)

    async def accept(self) -> tuple[str, float]:
        """Execute without following; return the execution's id and the seconds until the 202."""
        await self._posts.open()
        begin = time.perf_counter()
        answer = await self._posts.send(self._execute, 202)
        return orjson.loads(answer)["recipe_execution_id"], time.perf_counter() - begin

    def close(self) -> None:
        """Close both connections."""
        self._posts.close()
        self._stream.close()


def _check(kind: str, data: dict[str, object]) -> None:
    output = str(data.get("final_output"))
    if kind != "execution.completed" or not all(part in output for part in FLOWED):
        raise WrongOutput(f"{kind}: {data}")


async def in_sequence(target: Target, count: int, warm_up: int = 3) -> list[Timing]:
    """Execute one after the other; the first few are not counted."""
    client = Client(target)
    try:
        return [await client.run() for _ in range(warm_up + count)][warm_up:]
    finally:
        client.close()


class Crowd:
    """Clients that each execute again as soon as their last execution has ended."""

    def __init__(self, target: Target, size: int) -> None:
        self.finished: list[Timing] = []
        self._clients = [Client(target, number) for number in range(size)]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Crowd":
        self._tasks = [asyncio.create_task(self._repeat(client)) for client in self._clients]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in self._clients:
            client.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def work(self, seconds: float) -> list[Timing]:
        """Let them work for a while and return what finished in that time; an error of any of them ends the wait."""
        before = len(self.finished)
        done, _ = await asyncio.wait(self._tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
        return self.finished[before:]

    async def warm_up(self, seconds: float) -> None:
        """Let them work for a while, and until as many executions have ended as there are clients."""
        await self.work(seconds)
        while len(self.finished) < len(self._clients):
            await self.work(seconds / 4)

    async def _repeat(self, client: Client) -> None:
        while True:
            self.finished.append(await client.run())


async def fill(target: Target, count: int, connections: int = 16) -> list[str]:
    """Queue this many executions as fast as they are accepted and return their ids."""
    numbers, ids = iter(range(count)), list[str]()

    async def send(client: Client) -> None:
        for _ in numbers:
            ids.append((await client.accept())[0])

    clients = [Client(target, number) for number in range(connections)]
    try:
        await asyncio.gather(*map(send, clients))
    finally:
        for client in clients:
            client.close()
    return ids


async def probe(target: Target, count: int, gap_s: float = 0.01) -> tuple[list[str], list[float]]:
    """Queue a few executions one by one; return their ids and how long each 202 took."""
    client = Client(target)
    ids, seconds = list[str](), list[float]()
    try:
        for _ in range(count):
            execution_id, took = await client.accept()
            ids.append(execution_id)
            seconds.append(took)
            await asyncio.sleep(gap_s)
    finally:
        client.close()
    return ids, seconds


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile (1 to 99); of a single value, that value."""
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
