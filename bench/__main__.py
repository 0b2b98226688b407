"""`python -m bench`: start everything on loopback, measure the product beside the floor, print one table."""

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import uvloop

from bench import growth, measures
from bench.agents import agents
from bench.disk import disk
from bench.measures import FULL, QUICK, Figures, Lab
from bench.parked import parked
from bench.report import machine, progress, table
from bench.systems import Floor, Product, System
from tests.chaos.harness import Stage, stage

LATENCY_MS = 50
CHUNKS = 62
LIMIT_S = {FULL: 1_200, QUICK: 360}
SECTIONS: dict[str, Callable[[Lab, System], Awaitable[Figures]]] = {
    "starts": measures.starts,
    "overhead": measures.overhead,
    "first-event": measures.first_event,
    "throughput": measures.throughput,
    "paced": measures.paced,
    "queue": measures.queue,
}
AGENTS = "agents"
WORKERS = "workers"
GROWTH = {"drain": (growth.drain, growth.NEVER_ANALYSED), "history": (growth.history, {}),
          "parked": (parked, {}), "disk": (disk, {"autovacuum_naptime": "1s"})}
"""Measured on a product with a PostgreSQL of its own, started with these settings."""


class Bench:
    """One run: what was asked for, and what has been measured so far."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.sizes = QUICK if options.quick else FULL
        self.wanted: Sequence[str] = options.only or [*SECTIONS, *GROWTH, AGENTS, WORKERS]
        self.systems: Sequence[str] = options.system or ["floor", "automatos"]
        self.burst: int = options.burst
        self.figures: dict[str, Figures] = {}

    async def run(self) -> None:
        """Measure everything that was asked for; ends early, with what there is, at the time limit."""
        async with stage() as scene, asyncio.timeout(LIMIT_S[self.sizes]):
            model = await scene.start_model_server(latency_ms=LATENCY_MS, chunks=CHUNKS, burst=self.burst)
            lab = Lab(model, LATENCY_MS, self.sizes)
            if "floor" in self.systems:
                await self._measure(lab, Floor(scene, model))
            if "automatos" in self.systems:
                await self._measure(lab, Product(scene, model))
                await self._measure_growth(lab, scene)
                if AGENTS in self.wanted:
                    await self._measure_agents(lab, scene)
                if WORKERS in self.wanted:
                    await self._compare_workers(lab, scene)

    async def _measure(self, lab: Lab, system: System) -> None:
        figures = self.figures.setdefault(system.name, {})
        chosen = [name for name in SECTIONS if name in self.wanted]
        if not chosen:
            return
        if "starts" not in chosen:
            await system.start()
            await system.set_up()
        for name in chosen:
            begin = time.monotonic()
            figures |= await SECTIONS[name](lab, system)
            progress(f"{system.name}: {name} measured in {time.monotonic() - begin:.0f} s")
        await system.stop()

    async def _measure_agents(self, lab: Lab, scene: Stage) -> None:
        """Measure the agents of a server of their own; the floor knows none."""
        system, begin = Product(scene, lab.model), time.monotonic()
        await system.start()
        await system.set_up()
        self.figures.setdefault(system.name, {}).update(await agents(lab, system))
        await system.stop()
        progress(f"{system.name}: agents measured in {time.monotonic() - begin:.0f} s")

    async def _measure_growth(self, lab: Lab, scene: Stage) -> None:
        for name, (measure, settings) in GROWTH.items():
            if name in self.wanted:
                system, begin = Product(scene, lab.model, settings=settings), time.monotonic()
                await system.start()
                await system.set_up()
                self.figures.setdefault(system.name, {}).update(await measure(lab, system))
                await system.stop()
                progress(f"{system.name}: {name} measured in {time.monotonic() - begin:.0f} s")

    async def _compare_workers(self, lab: Lab, scene: Stage) -> None:
        figures = self.figures.setdefault(Product.name, {})
        for workers in (1, 2):
            system = Product(scene, lab.model, workers)
            await system.start()
            await system.set_up()
            figures |= await measures.processes(lab, system, f"worker processes: {workers}")
            await system.stop()
            progress(f"{system.name}: {workers} worker process(es) measured")


def main() -> None:
    """Read the flags, measure, print the table and, when asked, write it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples; under six minutes")
    parts = [*SECTIONS, *GROWTH, AGENTS, WORKERS]
    parser.add_argument("--only", action="append", choices=parts, help="just this part (repeatable)")
    parser.add_argument("--system", action="append", choices=["floor", "automatos"], help="just this (repeatable)")
    parser.add_argument("--burst", type=int, default=1, help="pieces per write of the model server (default 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file")
    options = parser.parse_args()
    facts, bench = machine(), Bench(options)
    begin = time.monotonic()
    try:
        uvloop.run(bench.run())
    except TimeoutError:
        progress("The time limit was reached: what is missing below was not measured.")
    finally:
        facts["took"] = f"{time.monotonic() - begin:.0f} s"
        print("\n".join(f"{name}: {fact}" for name, fact in facts.items()))
        print(f"\n{table(bench.figures)}\n\nDefinitions: bench/README.md. Goals are goals: nothing fails on a time.")
        if options.json:
            options.json.write_text(json.dumps({"facts": facts, "figures": bench.figures}, indent=2) + "\n")


if __name__ == "__main__":
    main()
