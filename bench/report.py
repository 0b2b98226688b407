"""One table of everything measured, with the goals beside it; nothing here fails on a time."""

import os
import platform
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from itertools import chain
from operator import ge, le, lt
from pathlib import Path

import psutil

from bench.measures import Figures

GOALS: dict[str, tuple[str, Callable[[float, float], bool], float]] = {
    "overhead, model 50 ms": ("<=", le, 12),
    "16 clients: CPU per run": ("<=", le, 6),
    "64 clients: CPU per run": ("<=", le, 5),
    "64 clients: executions/s": (">=", ge, 200),
    "paced, 2 answers of 200 words at 50/s: CPU per run": ("<=", le, 25),
    "first event after POST, p50": ("<=", le, 5),
    "warm start: ready": ("<=", le, 1.5),
    "idle: CPU of a core": ("<=", le, 1),
    "memory idle": ("<=", le, 130),
    "memory loaded (largest)": ("<=", le, 250),
    "queue: accept, workers waiting, p95": ("<", lt, 50),
    "queue: accept, workers busy, p95": ("<", lt, 50),
    "drain of 10000, never analysed: executions/s": (">=", ge, 120),
    "drain of 10000, never analysed: CPU per run": ("<=", le, 8),
    "drain of 10000, never analysed: accept, p95": ("<", lt, 50),
    "disk, 3000 runs: kB a run": ("<=", le, 10),
    "queue: lost": ("<=", le, 0),
    "agents: list of 10000, first page of 100, p95": ("<", lt, 100),
}
UNITS = (
    ("executions/s", "/s"), ("requests/s", "/s"), ("agents/s", "/s"), ("accepts/s", "/s"), ("steps/s", "/s"),
    ("kB a run", "kB"), ("idle: CPU", "%"), (" start: ", "s"), ("memory", "MiB"), ("queue: accepted", ""),
    ("queue: lost", ""), ("queue: failed", ""),
)
REMARKS = ("queue: afterwards",)
HEADER = ("measure", "unit", "automatos", "floor", "ratio", "goal", "")


def machine() -> dict[str, str]:
    """Return the facts about this machine that the figures depend on."""
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "load before": " ".join(f"{each:.2f}" for each in os.getloadavg()),
        "libraries": ", ".join(f"{name} {version(name)}" for name in ("fastapi", "aiohttp", "asyncpg", "uvloop")),
    }


def table(figures: Mapping[str, Figures]) -> str:
    """Write every number of every system as one aligned table, and below it what is no number."""
    names = [name for name in dict.fromkeys(chain.from_iterable(figures.values())) if name not in REMARKS]
    ours, floor = figures.get("automatos", {}), figures.get("floor", {})
    rows = [HEADER, *(_row(name, ours.get(name), floor.get(name)) for name in names)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    head, *lines = ["  ".join(map(_align, row, widths, range(len(row)))).rstrip() for row in rows]
    remarks = [f"{system}, {name}: {measured[name]}" for system, measured in figures.items()
               for name in REMARKS if name in measured]
    return "\n".join((head, "-" * sum(widths), *lines, *remarks))


def progress(text: str) -> None:
    """Say what is being measured, beside the table that comes at the end."""
    print(text, file=sys.stderr, flush=True)


def _row(name: str, ours: float | str | None, floor: float | str | None) -> tuple[str, ...]:
    ratio = f"{ours / floor:.1f}x" if isinstance(ours, float) and isinstance(floor, float) and floor > 0 else ""
    goal = verdict = ""
    if name in GOALS:
        sign, holds, limit = GOALS[name]
        goal = f"{sign} {limit:g}"
        verdict = ("met" if holds(ours, limit) else "missed") if isinstance(ours, float) else ""
    return name, _unit(name), _shown(ours), _shown(floor), ratio, goal, verdict


def _unit(name: str) -> str:
    return next((unit for part, unit in UNITS if part in name), "ms")


def _shown(value: float | str | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:.0f}" if value >= 1000 or value == int(value) else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _align(cell: str, width: int, column: int) -> str:
    return cell.rjust(width) if column in {2, 3, 4} else cell.ljust(width)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
