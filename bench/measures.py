"""The measurements: each takes a running system and returns named figures; none of them judges."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

import psutil

from bench.load import Client, Crowd, Target, Timing, fill, in_sequence, percentile, probe
from bench.systems import System, tally
from bench.usage import cpu_s, own_cpu_s, rss_bytes, share_bytes
from bench.wire import Connection, request
from tests.chaos.processes import ModelServer

Result = TypeVar("Result")
CALLS = 4
MIB = 1024 * 1024
SETTLE_S = 1.0
IDLE_S = 3.0
PACED_CLIENTS = 16
PACE_S = 0.02
PACED_FROM = "Write a line about"
"""What the prompts of the two later steps hold: their answers are paced."""


@dataclass(frozen=True)
class Sizes:
    """How much to measure."""

    samples: int
    window_s: float
    queued: int
    probes: int
    slow_model_s: float
    drain_s: float
    agents: int
    words: int
    parked: int
    stored: int
    history: tuple[int, ...]


FULL = Sizes(samples=40, window_s=8.0, queued=10_000, probes=200, slow_model_s=15.0, drain_s=20.0, agents=10_000,
             words=200, parked=100_000, stored=3_000, history=(100, 10_000, 100_000))
QUICK = Sizes(samples=10, window_s=2.0, queued=1_000, probes=50, slow_model_s=5.0, drain_s=3.0, agents=2_000,
              words=60, parked=5_000, stored=300, history=(100, 2_000))

Figures = dict[str, float | str]
"""What was measured, by the names that `report.GOALS` and `report.UNITS` know."""


@dataclass(frozen=True)
class Lab:
    """The scripted model server, its usual latency, and how much to measure with it."""

    model: ModelServer
    latency_ms: int
    sizes: Sizes

    async def set_latency(self, latency_s: float | None) -> None:
        """Answer after this many seconds from now on; None is the latency the model server was started with."""
        await self.model.reset()
        if latency_s is not None:
            await self.model.script({"delay_s": latency_s}, repeat=True)


async def starts(_: Lab, system: System) -> Figures:
    """Start an empty system and finish the first recipe; then stop, start with its data, and do so again."""
    begin = time.perf_counter()
    await system.start()
    ready = time.perf_counter() - begin
    await system.set_up()
    await _once(system.target)
    cold = time.perf_counter() - begin
    await system.stop()
    begin = time.perf_counter()
    await system.start()
    warm_ready = time.perf_counter() - begin
    await _once(system.target)
    warm = time.perf_counter() - begin
    await asyncio.sleep(IDLE_S)
    before = cpu_s(system.servers()) + cpu_s(system.databases())
    await asyncio.sleep(IDLE_S)
    spent = cpu_s(system.servers()) + cpu_s(system.databases()) - before
    return {
        "idle: CPU of a core": 100 * spent / IDLE_S,
        "cold start: ready": ready, "cold start: first recipe finished": cold,
        "warm start: ready": warm_ready, "warm start: first recipe finished": warm,
        "memory idle": rss_bytes(system.servers()) / MIB,
        "memory idle, PostgreSQL": share_bytes(system.databases()) / MIB,
    }


async def overhead(lab: Lab, system: System) -> Figures:
    """Execute one recipe after the other; what is left after the model's latency is the system's own time."""
    figures: Figures = {}
    for latency_ms in (0, lab.latency_ms):
        await lab.set_latency(latency_ms / 1000)
        timings = await in_sequence(system.target, lab.sizes.samples)
        name = f"overhead, model {latency_ms} ms"
        figures[name] = _ms(median(each.total for each in timings)) - CALLS * latency_ms
        figures[f"{name}, of that the model server"] = await _model_share(lab, latency_ms)
    await lab.set_latency(None)
    return figures


async def first_event(lab: Lab, system: System) -> Figures:
    """Measure how soon after the POST the first event that is not `execution.queued` is read."""
    timings = await in_sequence(system.target, lab.sizes.samples)
    since_accepted = [each.first_event - each.accepted for each in timings]
    return {
        "first event after POST, p50": _ms(median(each.first_event for each in timings)),
        "first event after POST, p95": _ms(percentile([each.first_event for each in timings], 95)),
        "first event after 202, p50": _ms(median(since_accepted)),
    }


async def throughput(lab: Lab, system: System) -> Figures:
    """Let 1, 16 and 64 clients execute without pause; count what finishes, and what it costs."""
    figures: Figures = {}
    for clients in (1, 16, 64):
        async with Crowd(system.target, clients) as crowd:
            await crowd.warm_up(SETTLE_S)
            window = Window(lab, system)
            timings = await window.watch(crowd, lab.sizes.window_s)
        name = "1 client" if clients == 1 else f"{clients} clients"
        figures |= _pace(name, timings, window.seconds) | window.per_run(name, len(timings))
        if clients == 64:
            figures["memory loaded (largest)"] = window.largest_rss / MIB
            figures["memory loaded, PostgreSQL"] = share_bytes(system.databases()) / MIB
        await asyncio.sleep(SETTLE_S)
    return figures


async def paced(lab: Lab, system: System) -> Figures:
    """Let 16 clients execute once each while the model writes the answers of two steps word by word, 50 a second."""
    words = " ".join(f"word{number}" for number in range(lab.sizes.words))
    text = f"42 {PACED_FROM} Improve this line {words}"
    await lab.model.reset()
    await lab.model.script({"text": text, "chunks": lab.sizes.words, "chunk_delay_s": PACE_S}, match=PACED_FROM,
                           repeat=True)
    clients = [Client(system.target, number) for number in range(PACED_CLIENTS)]
    window = Window(lab, system)
    try:
        timings = await window.over(asyncio.gather(*(client.run() for client in clients)))
    finally:
        for client in clients:
            client.close()
    await lab.set_latency(None)
    name = f"paced, 2 answers of {lab.sizes.words} words at 50/s"
    return {f"{name}: p50": _ms(median(each.total for each in timings)), **window.per_run(name, len(timings))}


async def processes(lab: Lab, system: System, name: str) -> Figures:
    """Let 64 clients execute against several processes: steps a second, and what a run costs all of them together."""
    async with Crowd(system.target, 64) as crowd:
        await crowd.warm_up(SETTLE_S)
        window = Window(lab, system)
        timings = await window.watch(crowd, lab.sizes.window_s)
    return {f"steps/s, {name}": 3 * len(timings) / window.seconds, **window.per_run(name, len(timings))}


async def queue(lab: Lab, system: System) -> Figures:
    """Queue thousands behind a slow model, probe the accept latency, let it work, and look for every one of them."""
    await lab.set_latency(lab.sizes.slow_model_s)
    begin = time.perf_counter()
    ids = await fill(system.target, lab.sizes.queued)
    rate = len(ids) / (time.perf_counter() - begin)
    quiet_ids, quiet = await probe(system.target, lab.sizes.probes)
    await lab.set_latency(lab.latency_ms / 1000)
    await asyncio.sleep(lab.sizes.slow_model_s)  # the last slow answers come, then the queue moves at full speed
    (busy_ids, busy), _ = await asyncio.gather(
        probe(system.target, lab.sizes.probes), asyncio.sleep(lab.sizes.drain_s)
    )
    known = await system.known()
    await lab.set_latency(None)
    accepted = [*ids, *quiet_ids, *busy_ids]
    return {
        "queue: accepted": float(len(accepted)),
        "queue: accepts/s while filling": rate,
        **spread("queue: accept, workers waiting", quiet),
        **spread("queue: accept, workers busy", busy),
        "queue: lost": float(len(set(accepted) - known.keys())),
        "queue: failed": float(sum(known.get(each) == "failed" for each in accepted)),
        "queue: afterwards": tally(known),
    }


class Window:
    """CPU and memory over the time in which a crowd works, or something is done."""

    def __init__(self, lab: Lab, system: System) -> None:
        self._groups: dict[str, Callable[[], float]] = {
            "API and worker": lambda: cpu_s(system.servers()),
            "PostgreSQL": lambda: cpu_s(system.databases()),
            "(model server)": lambda: cpu_s([psutil.Process(lab.model.pid)]),
            "(load generator)": own_cpu_s,
        }
        self._system = system
        self._spent: dict[str, float] = {}
        self.seconds = 0.0
        self.largest_rss = 0

    async def watch(self, crowd: Crowd, seconds: float) -> list[Timing]:
        before = {name: read() for name, read in self._groups.items()}
        begin = time.perf_counter()
        timings: list[Timing] = []
        while time.perf_counter() - begin < seconds:
            timings += await crowd.work(min(0.5, seconds))
            self.largest_rss = max(self.largest_rss, rss_bytes(self._system.servers()))
        self.seconds = time.perf_counter() - begin
        self._spent = {name: read() - before[name] for name, read in self._groups.items()}
        return timings

    async def over(self, work: Awaitable[Result]) -> Result:
        """Measure what some work costs from its beginning to its end."""
        before = {name: read() for name, read in self._groups.items()}
        begin = time.perf_counter()
        result = await work
        self.seconds = time.perf_counter() - begin
        self._spent = {name: read() - before[name] for name, read in self._groups.items()}
        return result

    def per_run(self, crowd: str, runs: int) -> dict[str, float]:
        each = {name: _ms(spent) / max(runs, 1) for name, spent in self._spent.items()}
        own = each["API and worker"] + each["PostgreSQL"]
        return {f"{crowd}: CPU per run": own} | {f"{crowd}: CPU per run, {name}": value for name, value in each.items()}


def _pace(name: str, timings: list[Timing], seconds: float) -> dict[str, float]:
    totals = [each.total for each in timings]
    return {f"{name}: executions/s": len(timings) / seconds} | {
        f"{name}: p{percent}": _ms(percentile(totals, percent)) for percent in (50, 95, 99)
    }


def spread(name: str, seconds: list[float]) -> dict[str, float]:
    """Return percentiles of times in seconds, in milliseconds."""
    return {f"{name}, p{percent}": _ms(percentile(seconds, percent)) for percent in (50, 95, 99)}


async def _once(target: Target) -> None:
    client = Client(target)
    try:
        await client.run()
    finally:
        client.close()


async def _model_share(lab: Lab, latency_ms: int) -> float:
    """Return what four plain calls of the model server take beyond its latency, read by the lean client."""
    async with Connection("127.0.0.1", lab.model.port) as connection:
        seconds = [await _timed(lambda: connection.send(_model_call(lab))) for _ in range(CALLS * lab.sizes.samples)]
    return CALLS * (_ms(median(seconds)) - latency_ms)


def _model_call(lab: Lab) -> bytes:
    body = b'{"model":"fake-model","stream":true,"messages":[{"role":"user","content":"Write a line about: 42"}]}'
    return request("POST", "/v1/chat/completions", f"127.0.0.1:{lab.model.port}", {}, body)


async def _timed(act: Callable[[], Awaitable[object]]) -> float:
    begin = time.perf_counter()
    await act()
    return time.perf_counter() - begin


def _ms(seconds: float) -> float:
    return seconds * 1000
