"""Whose turn it is: the choice of the next job as a function of what waits and what is held, without a database."""

import random
from uuid import UUID

import pytest

from automatos.durable.types import GroupMode
from automatos.durable.waiting import HeldPlace, JobId, Taker, WaitingJob, WaitingSet
from automatos.kernel.ids import new_id

KINDS = frozenset({"work"})
ONE, OTHER = UUID(int=1), UUID(int=2)


def job(key: str, workspace: UUID = ONE, *, group: str = "", priority: int = 0, run_at: float = 0.0,
        crashes: int = 0, name: str = "work") -> WaitingJob:
    return WaitingJob(name, key, workspace, group, priority, run_at, crashes)


def made(*places: int, kinds: frozenset[str] = KINDS) -> tuple[WaitingSet, list[Taker]]:
    takers = [Taker(new_id(), count, kinds) for count in places]
    waiting = WaitingSet()
    waiting.set_takers(takers)
    return waiting, takers


def keys(picked: list[tuple[WaitingJob, Taker]]) -> list[str]:
    return [one.key for one, _ in picked]


def test_a_workspace_gets_its_highest_priority_first_and_of_equals_what_was_due_first() -> None:
    waiting, _ = made(9)
    for key, priority, run_at in (("late", 1, 9.0), ("low", 0, 1.0), ("early", 1, 2.0), ("high", 5, 8.0)):
        waiting.add(job(key, priority=priority, run_at=run_at))

    assert keys(waiting.pick(9)) == ["high", "early", "late", "low"]


def test_workspaces_take_turns_whatever_priority_one_gives_its_own() -> None:
    waiting, _ = made(4)
    for number in range(9):
        waiting.add(job(f"loud {number}", ONE, priority=3))
    waiting.add(job("quiet", OTHER))

    assert keys(waiting.pick(4)) == ["loud 0", "quiet", "loud 1", "loud 2"]


def test_who_has_less_at_work_comes_first() -> None:
    waiting, (taker,) = made(9)
    for number in range(3):
        waiting.hold(("work", f"held {number}"), HeldPlace(taker.id, ONE, ""))
    waiting.add(job("busy", ONE, run_at=0))
    waiting.add(job("free", OTHER, run_at=9))

    assert keys(waiting.pick(1)) == ["free"]


def test_where_jobs_run_one_by_one_every_workspace_has_its_turn() -> None:
    waiting, _ = made(1)
    workspaces = [UUID(int=number) for number in range(5)]
    for workspace in workspaces:
        for number in range(3):
            waiting.add(job(f"{workspace.int}/{number}", workspace))
    turns = []
    for _ in range(15):
        ((picked, _),) = waiting.pick(8)
        turns.append(picked.workspace_id)
        waiting.let_go(picked.id)

    assert [set(turns[start:start + 5]) for start in (0, 5, 10)] == [set(workspaces)] * 3


def test_a_group_gets_no_more_than_it_has_room_for_and_the_next_when_one_ends() -> None:
    waiting, _ = made(9)
    for number in range(4):
        waiting.add(job(str(number), group="agent:1"), 2)
    waiting.add(job("free"))

    assert sorted(keys(waiting.pick(9))) == ["0", "1", "free"]
    assert waiting.pick(9) == []
    waiting.let_go(("work", "0"))
    assert keys(waiting.pick(9)) == ["2"]


@pytest.mark.parametrize(("mode", "begin"), [(GroupMode.OPEN, 1), (GroupMode.HELD, 0), (GroupMode.CLOSED, 3)])
def test_the_mode_of_a_group_says_whether_its_jobs_begin(mode: GroupMode, begin: int) -> None:
    waiting, _ = made(9)
    for number in range(3):
        waiting.add(job(str(number), group="agent:1"), 1, mode)

    assert len(waiting.pick(9)) == begin
    waiting.set_group("agent:1", 3, GroupMode.OPEN)
    assert len(waiting.pick(9)) == 3 - begin


def test_a_job_that_goes_on_as_another_takes_its_place_with_it() -> None:
    waiting, _ = made(9)
    waiting.add(job("mover", group="from"), 1)
    waiting.pick(9)
    waiting.add(job("behind", group="from"), 1)
    waiting.add(job("there", group="to"), 1)
    waiting.pass_on(("work", "mover"), ("work", "next"), "to")
    waiting.pass_on(("work", "unheard of"), ("work", "other"), "from")

    assert keys(waiting.pick(9)) == ["behind"]
    waiting.let_go(("work", "next"))
    assert keys(waiting.pick(9)) == ["there"]


def test_nothing_of_a_doubtful_group_begins_until_it_was_counted_again() -> None:
    waiting, (taker,) = made(9)
    waiting.add(job("one", group="agent:1"), 1)
    waiting.doubt("agent:1")
    assert waiting.pick(9) == []

    waiting.recount([(("work", "unheard of"), HeldPlace(taker.id, ONE, "agent:1"))])
    assert waiting.pick(9) == []
    waiting.recount([])
    assert keys(waiting.pick(9)) == ["one"]


def test_work_goes_to_who_has_the_least_to_do_and_to_this_process_before_equals() -> None:
    waiting, (near, far) = made(2, 4)
    near.is_local = True
    for number in range(6):
        waiting.add(job(str(number)))

    holders = [taker.id for _, taker in waiting.pick(9)]

    assert holders[0] == near.id
    assert (holders.count(near.id), holders.count(far.id)) == (2, 4)


def test_a_worker_gets_only_what_it_knows_and_keeps_nobody_else_waiting() -> None:
    waiting, (taker, other) = made(1, 1)
    other.kinds = frozenset({"new kind"})
    waiting.add(job("new", name="new kind", priority=5))
    waiting.add(job("newer", name="new kind", priority=5))
    waiting.add(job("known"))

    picked = {one.key: by.id for one, by in waiting.pick(9)}

    assert picked == {"new": other.id, "known": taker.id}


def test_a_worker_that_does_not_answer_gets_nothing() -> None:
    waiting, (silent, speaking) = made(4, 4)
    silent.is_silent = True
    for number in range(6):
        waiting.add(job(str(number)))

    assert {taker.id for _, taker in waiting.pick(9)} == {speaking.id}


@pytest.mark.parametrize(("crashes", "begin"), [(1, 16), (2, 4), (3, 1)])
def test_of_jobs_that_were_in_a_dead_process_a_worker_holds_a_quarter_a_sixteenth_or_one(
    crashes: int, begin: int
) -> None:
    waiting, _ = made(64)
    for number in range(40):
        waiting.add(job(f"suspect {number}", crashes=crashes, priority=3))
        waiting.add(job(f"innocent {number}"))

    picked = keys(waiting.pick(64))

    assert sum(key.startswith("suspect") for key in picked) == begin
    assert sum(key.startswith("innocent") for key in picked) == 40


def test_what_is_forgotten_or_was_taken_by_others_is_not_picked() -> None:
    waiting, (taker,) = made(9)
    for key in ("gone", "taken", "left"):
        waiting.add(job(key))
    waiting.forget(("work", "gone"))
    waiting.hold(("work", "taken"), HeldPlace(taker.id, ONE, ""))

    assert keys(waiting.pick(9)) == ["left"]


class Plain:
    """The same rules, said as plainly as possible: looks at everything each time."""

    def __init__(self, capacities: dict[str, int]) -> None:
        self.capacities = capacities
        self.waiting: dict[JobId, WaitingJob] = {}
        self.held: dict[JobId, WaitingJob] = {}

    def may_begin(self, one: WaitingJob) -> bool:
        held = sum(other.group == one.group for other in self.held.values())
        return not one.group or held < self.capacities[one.group]

    def at_work(self, workspace_id: UUID) -> int:
        return sum(other.workspace_id == workspace_id for other in self.held.values())

    def best(self) -> list[WaitingJob]:
        """Return the jobs of which any may come next."""
        able = [one for one in self.waiting.values() if self.may_begin(one)]
        least = min((self.at_work(one.workspace_id) for one in able), default=0)
        turns = {one.workspace_id for one in able if self.at_work(one.workspace_id) == least}
        found = []
        for workspace_id in turns:
            own = [one for one in able if one.workspace_id == workspace_id]
            first = min((-one.priority, one.run_at) for one in own)
            found += [one for one in own if (-one.priority, one.run_at) == first]
        return found


class Story:
    """A random course of events, told to the waiting set and to the plain rules alike."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.capacities = {f"agent:{number}": self.chance.randrange(1, 4) for number in range(4)}
        self.plain = Plain(self.capacities)
        self.waiting, (self.taker,) = made(1000)
        self.added = 0

    def add(self) -> None:
        group = self.chance.choice(["", *self.capacities])
        one = job(str(self.added), UUID(int=self.chance.randrange(4)), group=group,
                  priority=self.chance.randrange(3), run_at=float(self.chance.randrange(5)))
        self.added += 1
        self.waiting.add(one, self.capacities.get(group))
        self.plain.waiting[one.id] = one

    def end(self) -> None:
        if self.plain.held:
            ended = self.chance.choice(list(self.plain.held))
            del self.plain.held[ended]
            self.waiting.let_go(ended)

    def forget(self) -> None:
        if self.plain.waiting:
            gone = self.chance.choice(list(self.plain.waiting))
            del self.plain.waiting[gone]
            self.waiting.forget(gone)

    def limit(self) -> None:
        group = self.chance.choice(list(self.capacities))
        self.capacities[group] = self.chance.randrange(1, 4)
        self.waiting.set_group(group, self.capacities[group], GroupMode.OPEN)

    def recount(self) -> None:
        self.waiting.recount([
            (one.id, HeldPlace(self.taker.id, one.workspace_id, one.group)) for one in self.plain.held.values()])

    def pick(self) -> None:
        allowed = self.plain.best()
        picked = self.waiting.pick(1)
        assert bool(picked) == bool(allowed)
        for one, _ in picked:
            assert one in allowed
            self.plain.held[one.id] = self.plain.waiting.pop(one.id)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_the_next_one_is_one_that_the_plain_rules_allow(seed: int) -> None:
    story = Story(seed)
    events = [story.add] * 9 + [story.end] * 4 + [story.pick] * 5 + [story.forget, story.limit, story.recount]
    for _ in range(400):
        story.chance.choice(events)()
    while story.plain.held or story.plain.waiting:
        story.pick()
        story.end()

    assert (story.waiting.jobs, story.waiting.held) == ({}, {})
