"""Groups: how many jobs of a kind run at once in all processes together, who goes first, who must wait."""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from automatos.durable import dispatcher
from automatos.durable.service import drop_group, pause_group, set_group, stop_group, wake
from automatos.durable.types import GroupMode, HeldJob, Interruption
from automatos.kernel.ids import new_id
from tests.durable.conftest import Processes, Queue, Seen, forever, pass_on, until


@dataclass
class Floor:
    """Counts how many jobs are at work in each group, and the most there ever were."""

    now: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    def enter(self, lane: str) -> None:
        self.now[lane] = self.now.get(lane, 0) + 1
        self.most[lane] = max(self.most.get(lane, 0), self.now[lane])

    async def work(self, job: HeldJob) -> None:
        self.enter(job.group)
        await asyncio.sleep(random.uniform(0.005, 0.03))
        self.now[job.group] -= 1
        self.done.append(job.key)


@pytest.mark.capability("S024")
async def test_three_processes_never_run_more_of_a_lane_than_it_holds(processes: Processes, queue: Queue) -> None:
    workspace_id, floor = new_id(), Floor()
    for lane, capacity in (("agent:1", 1), ("agent:2", 2), ("agent:3", 5)):
        await queue.set_group(lane, capacity)
        for number in range(20):
            await queue.add(f"{lane}/{number}", workspace_id, lane=lane)

    for _ in range(3):
        await processes.start(Seen(floor.work).handlers(), capacity=8)
    await until(lambda: len(floor.done) == 60, 20)

    assert floor.most == {"agent:1": 1, "agent:2": 2, "agent:3": 5}
    assert sorted(floor.done) == sorted(f"agent:{lane}/{number}" for lane in (1, 2, 3) for number in range(20))


async def test_a_lane_without_room_keeps_nobody_else_waiting(processes: Processes, queue: Queue) -> None:
    workspace_id, hold = new_id(), asyncio.Event()
    await queue.set_group("full", 1)
    for number in range(50):
        await queue.add(f"full/{number}", workspace_id, priority=3, lane="full")
    for number in range(5):
        await queue.add(f"free/{number}", workspace_id)

    async def work(job: HeldJob) -> None:
        if job.group:
            await hold.wait()

    seen = Seen(work)
    await processes.start(seen.handlers(), capacity=4)
    await until(lambda: sum(key.startswith("free") for key in seen.driven) == 5)

    assert sum(key.startswith("full") for key in seen.driven) == 1
    hold.set()


@pytest.mark.capability("S023")
async def test_the_highest_priority_of_a_lane_goes_first(processes: Processes, queue: Queue) -> None:
    workspace_id = new_id()
    await queue.set_group("one", 1)
    for priority, name in ((0, "low"), (2, "high"), (3, "critical"), (1, "medium")):
        await queue.add(name, workspace_id, priority=priority, lane="one")
    seen = Seen()

    await processes.start(seen.handlers())
    await until(lambda: len(seen.driven) == 4)

    assert seen.driven == ["critical", "high", "medium", "low"]


async def test_a_priority_counts_within_its_workspace_only(processes: Processes, queue: Queue) -> None:
    loud, quiet, hold = new_id(), new_id(), asyncio.Event()
    for number in range(20):
        await queue.add(f"loud/{number}", loud, priority=3)
    await queue.add("quiet", quiet, priority=0)

    async def wait(_: HeldJob) -> None:
        await hold.wait()

    seen = Seen(wait)
    await processes.start(seen.handlers(), capacity=4)
    await until(lambda: len(seen.driven) == 4)

    assert "quiet" in seen.driven
    hold.set()


async def test_a_freed_place_is_taken_without_waiting_for_the_next_look_at_the_queue(
    processes: Processes, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "LOOK_EVERY_S", 3600.0)
    workspace_id = new_id()
    await queue.set_group("narrow", 1)
    for number in range(10):
        await queue.add(str(number), workspace_id, lane="narrow")
    seen = Seen()

    await processes.start(seen.handlers(), capacity=8)
    await until(lambda: len(seen.driven) == 10)

    assert sorted(seen.driven) == [str(number) for number in range(10)]


@pytest.mark.capability("S096")
async def test_a_held_lane_runs_nothing_until_it_is_opened(processes: Processes, queue: Queue) -> None:
    await queue.set_group("paused", 2, "held")
    await queue.add("patient", lane="paused")
    seen = Seen()
    process = await processes.start(seen.handlers())
    await asyncio.sleep(0.3)
    assert seen.driven == []

    await queue.set_group("paused", 2)
    wake(process.bus)
    await until(lambda: seen.driven == ["patient"])


async def test_jobs_of_a_closed_lane_are_let_through_for_their_handlers_to_end(
    processes: Processes, queue: Queue
) -> None:
    modes: list[GroupMode] = []
    workspace_id = new_id()
    await queue.set_group("closed", 1, "closed")
    for number in range(4):
        await queue.add(str(number), workspace_id, lane="closed")
    together = asyncio.Barrier(4)

    async def note(job: HeldJob) -> None:
        modes.append(job.group_mode)
        await together.wait()

    await processes.start(Seen(note).handlers(), capacity=8)
    await until(lambda: len(modes) == 4)

    assert modes == [GroupMode.CLOSED] * 4


async def test_a_place_of_a_dead_process_is_free_again_after_its_burial(processes: Processes, queue: Queue) -> None:
    workspace_id = new_id()
    await queue.set_group("one", 1)
    await queue.add("first", workspace_id, lane="one")
    await queue.add("second", workspace_id, lane="one")

    seen = Seen(forever)
    process = await processes.start(seen.handlers(), lease_s=0.5)
    await until(lambda: seen.driven == ["first"])
    other = Seen()
    await processes.start(other.handlers(), lease_s=0.5)
    await processes.kill(process)

    await until(lambda: len(other.driven) == 2, 10)
    assert sorted(other.driven) == ["first", "second"]


async def test_a_job_goes_on_as_the_next_one_in_another_lane_with_all_that_is_told_of_that(
    processes: Processes, queue: Queue
) -> None:
    held: list[HeldJob] = []

    async def work(job: HeldJob) -> None:
        held.append(job)
        assert await pass_on(process.database, job, "after", "kitchen", 2) == "open"
        await forever(job)

    await queue.set_group("hall", 1)
    await queue.set_group("kitchen", 1)
    await queue.add("first", lane="hall")
    await queue.change("first", "crashes = 1, attempts = 2")
    seen = Seen(work)
    process = await processes.start(seen.handlers())
    await until(lambda: held and held[0].key == "after")
    row = await queue.row("after") or {}

    assert await queue.row("first") is None
    assert (row["lane"], row["priority"], row["executor_id"]) == ("kitchen", 2, process.lease.id)
    assert (row["attempts"], row["crashes"], held[0].attempts, held[0].crashes) == (1, 0, 1, 0)
    assert process.worker
    assert process.worker.running == 1
    await queue.add("behind", lane="hall")  # the place in the group that was left is free
    await until(lambda: len(held) == 2)
    await stop_group(process.database, process.bus, "kitchen")
    await until(lambda: seen.interrupted == [("after", Interruption.STOP)])


async def test_a_job_does_not_go_on_where_the_lane_is_full_or_somebody_waits(
    processes: Processes, queue: Queue
) -> None:
    answers: list[str] = []
    arrived, hold = asyncio.Event(), asyncio.Event()
    await queue.set_group("kitchen", 1)
    await queue.set_group("pantry", 1, "held")
    await queue.add("cook", lane="kitchen")
    await queue.add("behind", lane="pantry")
    await queue.add("traveller")

    async def work(job: HeldJob) -> None:
        if job.key == "cook":
            arrived.set()
            await hold.wait()
        elif job.key == "traveller":
            await arrived.wait()
            answers.append(await pass_on(process.database, job, "after", "kitchen"))
            await queue.change("behind", "lane = 'yard', run_at = now() + interval '1 hour'")
            await queue.set_group("yard", 1)
            answers.append(await pass_on(process.database, job, "after", "yard"))

    seen = Seen(work)
    process = await processes.start(seen.handlers())
    await until(lambda: len(answers) == 2)

    assert answers == ["full", "open"]
    hold.set()
    await until(lambda: process.worker and process.worker.running == 0)


@pytest.mark.parametrize("mode", ["held", "closed"])
async def test_a_job_does_not_go_on_in_a_lane_that_is_not_open_and_stays_where_it_is(
    processes: Processes, queue: Queue, mode: str
) -> None:
    answers: list[str] = []
    await queue.set_group("there", 1, mode)
    await queue.add("traveller", lane="here")

    async def work(job: HeldJob) -> None:
        answers.append(await pass_on(process.database, job, "after", "there"))
        answers.append(job.key)
        await forever(job)

    process = await processes.start(Seen(work).handlers())
    await until(lambda: len(answers) == 2)

    assert answers == [mode, "traveller"]
    assert (await queue.row("traveller") or {})["lane"] == "here"


async def test_a_job_that_is_to_be_cancelled_or_that_another_process_has_does_not_go_on(
    processes: Processes, queue: Queue
) -> None:
    process = await processes.start()
    for key in ("gone", "cancelled"):
        await queue.add(key)
    own = new_id()
    await queue.change("gone", f"executor_id = '{new_id()}'")
    await queue.change("cancelled", f"executor_id = '{own}', signal = 'cancel'")

    for key in ("gone", "cancelled"):
        job = HeldJob("test.work", key, new_id(), 1, own)
        assert await pass_on(process.database, job, "after", "there", 0) == "changed"
    with pytest.raises(RuntimeError):
        job.go_to("there")


@pytest.mark.capability("S100")
async def test_stopping_a_lane_interrupts_its_jobs_in_every_process_and_no_other(
    processes: Processes, queue: Queue
) -> None:
    workspace_id = new_id()
    await queue.set_group("stopped", 4)
    for key, lane in (("a", "stopped"), ("b", "stopped"), ("c", "going-on")):
        await queue.add(key, workspace_id, lane=lane)

    async def wait(_: HeldJob) -> None:
        await asyncio.Event().wait()

    seen = Seen(wait)
    first = await processes.start(seen.handlers(), capacity=2)
    await processes.start(seen.handlers(), capacity=2)
    await until(lambda: len(seen.driven) == 3)

    told = await stop_group(first.database, first.bus, "stopped")

    await until(lambda: len(seen.interrupted) == 2, 2)
    assert told == 2
    assert sorted(seen.interrupted) == [("a", Interruption.STOP), ("b", Interruption.STOP)]


async def test_a_job_asked_to_pause_is_not_cut_off_and_is_asked_once(processes: Processes, queue: Queue) -> None:
    asked: list[bool] = []
    await queue.set_group("paused", 1)
    await queue.add("steady", lane="paused")

    async def work(job: HeldJob) -> None:
        while not job.wants_pause:
            await asyncio.sleep(0.01)
        asked.append(job.wants_pause)
        job.again_in = timedelta()

    seen = Seen(work)
    process = await processes.start(seen.handlers())
    await until(lambda: seen.driven)
    async with process.database.session(None) as session:
        await set_group(session, "paused", 1, GroupMode.HELD)
    assert await pause_group(process.database, process.bus, "paused") == 1

    await until(lambda: asked)
    await asyncio.sleep(0.2)
    row = await queue.row("steady")
    assert row
    assert (row["executor_id"], row["signal"], seen.interrupted) == (None, None, [])


async def test_a_word_for_a_lane_says_nothing_to_a_job_that_has_left_it(processes: Processes, queue: Queue) -> None:
    moved, hold = asyncio.Event(), asyncio.Event()
    await queue.add("mover", lane="old")

    async def work(job: HeldJob) -> None:
        await pass_on(process.database, job, "moved", "new")
        moved.set()
        await hold.wait()

    seen = Seen(work)
    process = await processes.start(seen.handlers())
    await moved.wait()

    process.bus.send_word("signal", "test.work mover stop old")
    process.bus.send_word("signal", "test.work moved stop old")
    await asyncio.sleep(0.1)

    assert seen.interrupted == []
    hold.set()


async def test_jobs_of_a_lane_that_is_gone_run_without_a_limit(processes: Processes, queue: Queue) -> None:
    workspace_id = new_id()
    await queue.set_group("gone", 1, "held")
    for number in range(3):
        await queue.add(str(number), workspace_id, lane="gone")
    seen = Seen()
    process = await processes.start(seen.handlers())
    async with process.database.session(None) as session:
        await drop_group(session, "gone")
    wake(process.bus)

    await until(lambda: len(seen.driven) == 3)
