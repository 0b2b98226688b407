"""Jobs that wait for their time, as far as the dispatcher has read them."""

import heapq

import asyncpg

from automatos.durable.waiting import JobId


class Timers:
    """Rows of jobs that are due later, the first of them at hand."""

    def __init__(self) -> None:
        self._rows: dict[JobId, asyncpg.Record] = {}
        self._times: list[tuple[float, JobId]] = []

    @property
    def next_at(self) -> float | None:
        """When the first of them may be due, as a time stamp."""
        return self._times[0][0] if self._times else None

    def clear(self) -> None:
        """Forget all of them."""
        self._rows.clear()
        self._times.clear()

    def forget(self, job_id: JobId) -> None:
        """Forget a job: it is due, or something else by now."""
        self._rows.pop(job_id, None)

    def add(self, job_id: JobId, row: asyncpg.Record) -> None:
        """Keep a job until its time has come, in place of what was known of it."""
        self._rows[job_id] = row
        heapq.heappush(self._times, (row["run_at"].timestamp(), job_id))

    def take_due(self, moment: float) -> list[asyncpg.Record]:
        """Return and forget the jobs whose time has come."""
        due: list[asyncpg.Record] = []
        while self._times and self._times[0][0] <= moment:
            run_at, job_id = heapq.heappop(self._times)
            row = self._rows.get(job_id)
            if row is not None and row["run_at"].timestamp() == run_at:
                due.append(self._rows.pop(job_id))
        return due
