"""What processes cost: CPU seconds and resident memory of whole process trees."""

import contextlib
import os
from collections.abc import Iterable

import psutil


def family(roots: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return these processes and all that descend from them."""
    found: list[psutil.Process] = []
    for root in roots:
        with contextlib.suppress(psutil.NoSuchProcess):
            found += [root, *root.children(recursive=True)]
    return found


def cpu_s(roots: Iterable[psutil.Process]) -> float:
    """Return the CPU seconds spent so far, including those of children that have already ended."""
    total = 0.0
    for process in family(roots):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def own_cpu_s() -> float:
    """Return the CPU seconds this process itself has spent so far."""
    times = os.times()
    return times.user + times.system


def rss_bytes(roots: Iterable[psutil.Process]) -> int:
    """Return the resident memory of these process trees together."""
    total = 0
    for process in family(roots):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total


def share_bytes(roots: Iterable[psutil.Process]) -> int:
    """Return the memory of these process trees with shared pages counted once, as PostgreSQL's buffers must be."""
    total = 0
    for process in family(roots):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().pss
    return total
