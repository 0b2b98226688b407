"""What waits and who has room, in memory: decides which job goes to which worker next. No I/O.

Workspaces take turns: the one with the least at work comes first, of equals the one that has waited longest for its
turn. Within a workspace the highest priority goes first, then what was due first. A concurrency group gets no more than
it has room for. Of jobs that were in a process when it died, a worker holds only a few (decision 0028).
"""

import heapq
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from automatos.durable.types import GroupMode

JobId = tuple[str, str]
Order = tuple[int, float, int]


@dataclass(slots=True, eq=False)
class WaitingJob:
    """A job that could begin. `crashes` counts the deaths it was in; of one to be cancelled they do not matter."""

    name: str
    key: str
    workspace_id: UUID
    group: str
    priority: int
    run_at: float
    crashes: int = 0
    order: Order = (0, 0.0, 0)

    @property
    def id(self) -> JobId:
        """Its name and key."""
        return self.name, self.key


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many jobs wait for a worker, and for how many seconds the one that waits longest."""

    jobs: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class HeldPlace:
    """A job in the hands of a worker, as far as it takes places."""

    executor_id: UUID
    workspace_id: UUID
    group: str
    crashes: int = 0


@dataclass(slots=True, eq=False)
class Taker:
    """A worker that jobs can be given to, or several that share them, of whom the `smallest` has so many places."""

    id: UUID
    places: int
    kinds: frozenset[str]
    is_local: bool = False
    is_silent: bool = False
    smallest: int = 0
    running: int = 0
    suspects: Counter[int] = field(default_factory=Counter[int])

    @property
    def has_room(self) -> bool:
        """Whether it can begin one more job."""
        return self.running < self.places and not self.is_silent

    @property
    def load(self) -> float:
        """What part of its places is taken."""
        return self.running / self.places

    @property
    def most_crashes(self) -> float:
        """How many deaths a job may have seen that this worker takes now."""
        count, places = self.suspects.total(), self.smallest or self.places
        if not count:
            return math.inf
        worst = max(crashes for crashes, held in self.suspects.items() if held)
        if worst <= 2 and count < max(places // 16, 1):
            return 2
        return 1 if worst <= 1 and count < max(places // 4, 1) else 0


def as_one(holder: UUID, takers: Sequence[Taker]) -> list[Taker]:
    """Return workers that share what is granted to one of them, as that one."""
    if not takers:
        return []
    places = [taker.places for taker in takers]
    kinds = frozenset[str]().union(*(taker.kinds for taker in takers))
    return [Taker(holder, sum(places), kinds, smallest=min(places))]


@dataclass(slots=True, eq=False)
class Line:
    """Jobs that the same workers may take: of one workspace, group and kind, with the same deaths behind them."""

    workspace_id: UUID
    group: "Group"
    name: str
    crashes: int
    jobs: list[tuple[Order, WaitingJob]] = field(default_factory=list[tuple[Order, WaitingJob]])
    offered: Order | None = None


@dataclass(slots=True, eq=False)
class Group:
    """Jobs that share a limit; without a capacity there is none. `is_doubtful`: the database counted otherwise."""

    name: str
    capacity: int | None = None
    mode: GroupMode = GroupMode.OPEN
    running: int = 0
    is_doubtful: bool = False
    lines: dict[tuple[UUID, str, int], Line] = field(default_factory=dict[tuple[UUID, str, int], Line])

    @property
    def has_room(self) -> bool:
        """Whether one more of its jobs may begin."""
        if self.mode is GroupMode.HELD:
            return False
        return self.capacity is None or self.mode is GroupMode.CLOSED or (
            not self.is_doubtful and self.running < self.capacity)


class WaitingSet:
    """All that waits for a worker, and all that is held."""

    def __init__(self) -> None:
        self.jobs: dict[JobId, WaitingJob] = {}
        self.held: dict[JobId, HeldPlace] = {}
        self.takers: dict[UUID, Taker] = {}
        self._groups: dict[str, Group] = {}
        self._heads: dict[UUID, list[tuple[Order, Line]]] = {}
        self._running: Counter[UUID] = Counter()
        self._turns: dict[int, dict[UUID, None]] = {}
        self._turn_of: dict[UUID, int] = {}
        self._numbers = itertools.count()

    def backlog(self, at: float) -> Backlog:
        """Return how much waits, at a moment in Unix seconds."""
        since = min((job.run_at for job in self.jobs.values()), default=at)
        return Backlog(len(self.jobs), max(at - since, 0.0))

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of jobs that some worker takes."""
        return frozenset().union(*(taker.kinds for taker in self.takers.values()))

    @property
    def has_free_places(self) -> bool:
        """Whether some worker has room."""
        return any(taker.has_room for taker in self.takers.values())

    @property
    def local_room(self) -> int:
        """How many jobs could begin in this process with nobody to ask: nothing waits, and no other has less to do."""
        local = next((taker for taker in self.takers.values() if taker.is_local), None)
        if local is None or self.jobs or any(
                taker.has_room and taker.load < local.load for taker in self.takers.values()):
            return 0
        return local.places - local.running

    def may_begin(self, name: str, group: str, untold: int) -> bool:
        """Whether a job that comes now could begin in this process with nobody before it.

        So many more jobs are `untold`: they wait, and are not known yet.
        """
        local = next((taker for taker in self.takers.values() if taker.is_local), None)
        if local is None or name not in local.kinds or local.is_silent or local.places - local.running <= untold:
            return False
        if any(taker.has_room and taker.load < local.load for taker in self.takers.values()):
            return False
        found = self._groups.get(group)
        if found and (not found.has_room or any(self._first(line) for line in list(found.lines.values()))):
            return False
        return not (self.jobs and self._turn_of)

    def add(self, job: WaitingJob, capacity: int | None = None, mode: GroupMode = GroupMode.OPEN) -> None:
        """Let a job wait, in place of what was known of it, in a group of that capacity; nobody holds it then."""
        self.let_go(job.id)
        job.order = (-job.priority, job.run_at, next(self._numbers))
        self.jobs[job.id] = job
        group = self._group(job.group)
        self._limit(group, capacity, mode)
        line = group.lines.get((job.workspace_id, job.name, job.crashes))
        if line is None:
            line = Line(job.workspace_id, group, job.name, job.crashes)
            group.lines[job.workspace_id, job.name, job.crashes] = line
        heapq.heappush(line.jobs, (job.order, job))
        self._offer(line)

    def forget(self, job_id: JobId) -> None:
        """Drop a waiting job: it is gone, or not due."""
        self.jobs.pop(job_id, None)

    def set_group(self, name: str, capacity: int | None, mode: GroupMode) -> None:
        """Say how many jobs of a group may run, and whether they may; one that has none needs no limit."""
        if group := self._groups.get(name):
            self._limit(group, capacity, mode)

    def doubt(self, name: str) -> None:
        """Give nothing more of a group until it was counted again."""
        self._group(name).is_doubtful = True

    def hold(self, job_id: JobId, place: HeldPlace) -> None:
        """Note that a job is in the hands of a worker."""
        self.let_go(job_id)
        self.jobs.pop(job_id, None)
        self.held[job_id] = place
        self._group(place.group).running += 1
        self._count(place.workspace_id, 1)
        if taker := self.takers.get(place.executor_id):
            _count_in(taker, place, 1)

    def let_go(self, job_id: JobId) -> None:
        """Note that nobody holds a job any more; what waited for its places may begin."""
        place = self.held.pop(job_id, None)
        if place is None:
            return
        self._count(place.workspace_id, -1)
        if taker := self.takers.get(place.executor_id):
            _count_in(taker, place, -1)
        group = self._group(place.group)
        had_room = group.has_room
        group.running -= 1
        if not had_room:
            self._open(group)
        if not group.lines and group.running <= 0:
            del self._groups[group.name]

    def pass_on(self, job_id: JobId, next_id: JobId, to_group: str) -> None:
        """Note that a held job goes on as another one, in a group."""
        if place := self.held.get(job_id):
            self.let_go(job_id)
            self.hold(next_id, HeldPlace(place.executor_id, place.workspace_id, to_group))

    def recount(self, held: Iterable[tuple[JobId, HeldPlace]]) -> None:
        """Go by a fresh look at what is held; every doubt is over."""
        fresh = dict(held)
        for job_id in [known for known in self.held if known not in fresh]:
            self.let_go(job_id)
        for job_id, place in fresh.items():
            if self.held.get(job_id) != place:
                self.hold(job_id, place)
        for group in [group for group in self._groups.values() if group.is_doubtful]:
            group.is_doubtful = False
            self._open(group)

    def set_takers(self, takers: Sequence[Taker]) -> None:
        """Say which workers there are."""
        self.takers = {taker.id: taker for taker in takers}
        for place in self.held.values():
            if taker := self.takers.get(place.executor_id):
                _count_in(taker, place, 1)

    def pick(self, most: int) -> list[tuple[WaitingJob, Taker]]:
        """Give up to `most` jobs to workers with room; they are held from now on."""
        picked: list[tuple[WaitingJob, Taker]] = []
        aside: list[Line] = []
        while len(picked) < most and self.has_free_places and (workspace_id := self._next_workspace()):
            found = self._best_of(workspace_id, aside)
            if found is None:
                self._end_turn(workspace_id)
                continue
            job, taker = found
            self.hold(job.id, HeldPlace(taker.id, job.workspace_id, job.group, job.crashes))
            picked.append(found)
        for line in aside:
            self._offer(line)
        return picked

    def _best_of(self, workspace_id: UUID, aside: list[Line]) -> tuple[WaitingJob, Taker] | None:
        """Return the workspace's next job with a worker for it; lines that no worker with room takes go aside."""
        heads = self._heads.get(workspace_id, [])
        while heads:
            order, line = heapq.heappop(heads)
            line.offered = None
            job = self._first(line)
            if job is None:
                continue
            if job.order != order:
                self._offer(line)
            elif line.group.has_room:
                taker = self._taker_for(job)
                if taker is not None:
                    heapq.heappop(line.jobs)
                    self.jobs.pop(job.id)
                    self._offer(line)
                    return job, taker
                aside.append(line)
        return None

    def _taker_for(self, job: WaitingJob) -> Taker | None:
        """Return the worker with the least to do that takes a job, this process before others."""
        able = [taker for taker in self.takers.values() if taker.has_room and job.name in taker.kinds
                and (not job.crashes or job.crashes <= taker.most_crashes)]
        return min(able, key=lambda taker: (taker.load, not taker.is_local), default=None)

    def _first(self, line: Line) -> WaitingJob | None:
        """Return the first job of a line that still waits; a line without one is forgotten."""
        while line.jobs:
            job = line.jobs[0][1]
            if self.jobs.get(job.id) is job:
                return job
            heapq.heappop(line.jobs)
        key = line.workspace_id, line.name, line.crashes
        if line.group.lines.get(key) is line:
            del line.group.lines[key]
        return None

    def _offer(self, line: Line) -> None:
        """Let a line's first job take part in the workspace's turns, if its group has room."""
        job = self._first(line)
        if job is None or not line.group.has_room or line.offered == job.order:
            return
        line.offered = job.order
        heapq.heappush(self._heads.setdefault(line.workspace_id, []), (job.order, line))
        if line.workspace_id not in self._turn_of:
            self._begin_turn(line.workspace_id)

    def _limit(self, group: Group, capacity: int | None, mode: GroupMode) -> None:
        if (group.capacity, group.mode) != (capacity, mode):
            group.capacity, group.mode = capacity, mode
            self._open(group)

    def _open(self, group: Group) -> None:
        """Offer what waits in a group that has room."""
        if group.has_room:
            for line in list(group.lines.values()):
                self._offer(line)

    def _group(self, name: str) -> Group:
        return self._groups.setdefault(name, Group(name))

    def _count(self, workspace_id: UUID, more: int) -> None:
        self._running[workspace_id] += more
        if not self._running[workspace_id]:
            del self._running[workspace_id]
        if workspace_id in self._turn_of:
            self._end_turn(workspace_id)
            self._begin_turn(workspace_id)

    def _begin_turn(self, workspace_id: UUID) -> None:
        running = self._running.get(workspace_id, 0)
        self._turn_of[workspace_id] = running
        self._turns.setdefault(running, {})[workspace_id] = None

    def _end_turn(self, workspace_id: UUID) -> None:
        running = self._turn_of.pop(workspace_id)
        turns = self._turns[running]
        del turns[workspace_id]
        if not turns:
            del self._turns[running]
        if not self._heads.get(workspace_id):
            self._heads.pop(workspace_id, None)

    def _next_workspace(self) -> UUID | None:
        """Return whose turn it is: the one with the least at work, of equals the one that came first."""
        return next(iter(self._turns[min(self._turns)])) if self._turns else None


def _count_in(taker: Taker, place: HeldPlace, more: int) -> None:
    taker.running += more
    if place.crashes:
        taker.suspects[place.crashes] += more
