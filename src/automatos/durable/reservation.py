"""A place that a process keeps for a job while the statement that stores it is under way."""

from collections.abc import Awaitable, Callable
from typing import Protocol
from uuid import UUID

from automatos.durable.types import HeldJob


class Release(Protocol):
    """How a worker takes back that it keeps a place."""

    def __call__(self, job: HeldJob, *, is_unsure: bool) -> None:
        """Take it back; `is_unsure` says that the job may be stored all the same."""
        ...


class Reservation:
    """The job as the process holds it from now on; one of `begin` and `release` is called, once."""

    def __init__(self, job: HeldJob, epoch: int, begin: Callable[[HeldJob], None], release: Release) -> None:
        self.epoch = epoch
        self._job = job
        self._begin = begin
        self._release = release

    @property
    def holder(self) -> UUID:
        """The executor that the stored job must name."""
        return self._job.executor_id

    def begin(self, begun: Callable[[HeldJob], Awaitable[None]]) -> None:
        """Work on the job, which is stored by now."""
        self._job.begun = begun
        self._begin(self._job)

    def release(self, *, is_unsure: bool = False) -> None:
        """Do without the place; with `is_unsure` the job may be stored all the same, and is given back if it is."""
        self._release(self._job, is_unsure=is_unsure)
