"""The delivery port: who runs a granted job, and who notices when its runner dies.

The ledger and the dispatcher are the same under every delivery. What stands in the rows is the truth: a delivery that
loses all it knows loses no job.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import asyncpg

from automatos.durable.types import HeldJob

Grant = asyncpg.Record
"""A granted job: number, name, key, workspace_id, attempts, crashes, signal, group and mode."""


class Runner(Protocol):
    """What a delivery asks of the worker of its process."""

    is_unsure: bool
    """Whether the rows may say that this process holds a job which it does not; who has compared says no."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of jobs that this process can do."""
        ...

    def begin(self, grant: Grant) -> HeldJob:
        """Begin a granted job in a task of its own; a delivery does it once for each grant."""
        ...

    def has(self, name: str, key: str) -> bool:
        """Whether this process works on a job."""
        ...

    def receive(self, name: str, key: str, word: str, group: str) -> None:
        """Pass on a word that was left for a job, if this process works on it."""
        ...

    @property
    def is_leading(self) -> bool:
        """Whether this process gives out jobs."""
        ...

    def begun(self, number: int) -> None:
        """Say to the dispatcher that what this process was given up to that grant is on its way."""
        ...


class Delivery(Protocol):
    """Five verbs (and a look for /health); nothing else in the product knows what carries jobs to those who run them.

    Where it `is_shared`, jobs are granted to the process that gives them out, for all, and any process begins them.
    """

    @property
    def is_shared(self) -> bool:
        """Whether a job may begin in another process than the one it is granted to."""
        ...

    async def open(self, runner: Runner) -> None:
        """Take granted jobs for the worker of this process from now on."""
        ...

    def deliver(self, grants: Sequence[Grant]) -> None:
        """See that each job granted to this process begins once, however often it is told; returns at once."""
        ...

    def recall(self, name: str, key: str, word: str, group: str) -> None:
        """Let the runner of a job hear a word that was left for it; the rows keep the word until it was heard."""
        ...

    async def lost(self) -> None:
        """Give back to the queue what was granted and nobody works on; no attempt and no death is counted for it."""
        ...

    async def probe(self) -> None:
        """Raise when nothing can be delivered now; for who looks after the server."""
        ...

    async def close(self, let_end: Callable[[], Awaitable[None]]) -> None:
        """Take nothing more, give back what has not begun, and be there until `let_end` has ended what runs."""
        ...
