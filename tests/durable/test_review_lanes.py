"""Groups and words under bad timing: nothing is lost, moved or kept waiting because two things happened at once."""

import asyncio
from datetime import timedelta

from automatos.durable.service import enqueue_in_session
from automatos.durable.types import HeldJob, Interruption, Job
from automatos.kernel.ids import new_id
from tests.durable.conftest import Processes, Queue, Seen, forever, pass_on, until


async def test_a_job_told_to_end_before_its_old_self_has_let_go_is_still_driven(
    processes: Processes, queue: Queue
) -> None:
    async def slow_to_let_go(job: HeldJob) -> None:
        try:
            await forever(job)
        finally:
            if len(seen.driven) == 1:
                await asyncio.sleep(2)

    seen = Seen(slow_to_let_go)
    await queue.add("one")
    process = await processes.start(seen.handlers())
    await until(lambda: len(seen.driven) == 1)
    first = process.lease.id
    async with process.database.recording(None) as connection:
        await connection.execute("DELETE FROM durable.executors WHERE id = $1", first)

    async def is_claimed_anew() -> bool:
        row = await queue.row("one")
        return bool(row and row["executor_id"] not in {None, first})

    await until(is_claimed_anew)
    assert len(seen.driven) == 1
    await queue.change("one", "signal = 'cancel'")
    process.bus.send_word("signal", "test.work one cancel -")

    await until(lambda: len(seen.driven) == 2, 8)


async def test_a_job_to_be_cancelled_that_goes_back_to_a_held_lane_does_not_wait_there(
    processes: Processes, queue: Queue
) -> None:
    async def go_back(job: HeldJob) -> None:
        if len(seen.driven) == 1:
            await queue.set_group("paused", 1, "held")
            await queue.change("given back", "signal = 'cancel'")
            job.again_in = timedelta()
        else:
            await forever(job)

    seen = Seen(go_back)
    await queue.set_group("paused", 1)
    await queue.add("given back", lane="paused")
    await processes.start(seen.handlers())

    await until(lambda: seen.interrupted == [("given back", Interruption.CANCEL)])


async def test_a_job_to_be_cancelled_whose_process_died_does_not_wait_in_a_held_lane(
    processes: Processes, queue: Queue
) -> None:
    seen = Seen(forever)
    await queue.set_group("paused", 1, "held")
    await queue.add("orphan", lane="paused")
    await queue.change("orphan", f"signal = 'cancel', executor_id = '{new_id()}'")

    await processes.start(seen.handlers())

    await until(lambda: seen.interrupted == [("orphan", Interruption.CANCEL)])


async def test_a_job_that_another_took_over_meanwhile_does_not_go_on(processes: Processes, queue: Queue) -> None:
    process = await processes.start()
    await queue.add("contested", lane="old")
    job = HeldJob("test.work", "contested", new_id(), 1, new_id(), "old")
    await queue.change("contested", f"executor_id = '{job.executor_id}'")

    async with queue.database.recording(None) as connection, connection.transaction():
        await connection.execute("UPDATE durable.jobs SET executor_id = $1 WHERE key = 'contested'", new_id())
        moving = asyncio.create_task(pass_on(process.database, job, "after", "new"))
        await asyncio.sleep(0.2)

    assert await moving == "changed"
    assert (await queue.row("contested") or {})["lane"] == "old"


async def test_work_of_a_held_lane_pauses_also_when_nobody_could_tell_it(processes: Processes, queue: Queue) -> None:
    held: list[HeldJob] = []

    async def work(job: HeldJob) -> None:
        held.append(job)
        await forever(job)

    await queue.set_group("agent", 1)
    await queue.add("working", lane="agent")
    await processes.start(Seen(work).handlers())
    await until(lambda: held)

    await queue.set_group("agent", 1, "held")

    await until(lambda: held[0].wants_pause)


async def test_what_the_server_has_to_do_goes_before_any_priority_of_people(
    processes: Processes, queue: Queue
) -> None:
    workspace_id = new_id()
    for number in range(5):
        await queue.add(f"critical {number}", workspace_id, priority=3)
    async with queue.database.session(None) as session:
        await enqueue_in_session(session, Job(queue.name), "stop an agent", workspace_id)
    seen = Seen()

    await processes.start(seen.handlers(), capacity=1)
    await until(lambda: len(seen.driven) == 6)

    assert seen.driven[0] == "stop an agent"
