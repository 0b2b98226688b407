"""Work in a process of its own ends when it takes too much, and nobody else waits for it."""

import asyncio
import os
import pickle
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from automatos.kernel import confined as confinement
from automatos.kernel.confined import (
    Allowance,
    ConfinedFailed,
    TooCostly,
    close_pool,
    comes_back,
    confined,
    confined_for,
)
from automatos.kernel.remote_bytes import read_page
from automatos.skills.archive import Archive, read_archive
from automatos.skills.errors import ArchiveRefused, GitRefused
from automatos.skills.types import SkillKind
from tests.kernel import hostile_answers


@pytest.fixture(autouse=True)
async def _ended(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # so that the processes find the tests' functions
    await close_pool()
    yield
    await close_pool()


async def test_a_warm_process_does_one_call_after_another_away_from_the_server() -> None:
    first = await confined(os.getpid)
    assert first != os.getpid()
    assert await confined(os.getpid) == first
    assert await confined(read_page, "<title>T</title><p>é".encode(), "utf-8") == ("T", "é")


async def test_it_knows_nothing_of_the_servers_settings_and_opens_no_file_for_writing(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOMATOS_SECRET", "s3cret")
    assert await confined(os.getenv, "AUTOMATOS_SECRET") is None
    assert await confined(os.getenv, "PATH") == os.environ["PATH"]


async def test_processor_time_memory_and_time_are_bounded_and_the_next_call_finds_a_process() -> None:
    with pytest.raises(TooCostly, match="processor time"):
        await confined_for(None, Allowance(cpu_s=1), sum, range(10**12))  # type: ignore[arg-type]
    with pytest.raises(TooCostly, match="memory"):
        await confined(bytearray, 8 * 1024**3)
    with pytest.raises(TooCostly, match=r"longer than 0\.2 s"):
        await confined_for(None, Allowance(deadline_s=0.2), time.sleep, 3600)
    assert await confined(len, "abc") == 3


async def test_a_caller_who_gives_up_ends_the_process_too() -> None:
    pid = await confined(os.getpid)
    task = asyncio.create_task(confined(time.sleep, 3600))
    while pid_waits(pid):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await confined(os.getpid) != pid


def pid_waits(pid: int) -> bool:
    """Whether a process has not yet begun the long sleep, as the kernel names what it waits in."""
    return "sleep" not in Path(f"/proc/{pid}/wchan").read_text("ascii")


async def test_one_owner_takes_two_places_and_another_goes_on_meanwhile() -> None:
    busy = [asyncio.create_task(confined_for("a", Allowance(deadline_s=600), time.sleep, 3600)) for _ in range(6)]
    try:
        assert await confined_for("b", Allowance(), len, "other") == 5
        assert not any(task.done() for task in busy)
    finally:
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)
    assert await confined_for("a", Allowance(), len, "a") == 1


async def test_problems_come_back_as_they_were_and_other_errors_as_ours() -> None:
    with pytest.raises(ArchiveRefused, match="not a ZIP file") as caught:
        await confined(read_archive, b"nothing")
    assert (caught.value.status, caught.value.code) == (ArchiveRefused.status, ArchiveRefused.code)
    with pytest.raises(ConfinedFailed, match="ValueError"):
        await confined(int, "x")
    assert isinstance(Archive({}), Archive)


@pytest.mark.parametrize("member", list(SkillKind))
async def test_members_of_our_enumerations_come_back_on_every_python(member: SkillKind) -> None:
    assert await confined(SkillKind, member.value) is member


@pytest.mark.parametrize("work", [
    os.uname, hostile_answers.instance_of_ours, hostile_answers.class_of_ours, hostile_answers.unknown_enumeration,
    hostile_answers.call_of_a_builtin, hostile_answers.call_of_ours, hostile_answers.unknown_problem,
], ids=lambda work: work.__name__)
async def test_an_answer_holds_data_and_registered_records_and_nothing_else(work: Callable[[], Any]) -> None:
    with pytest.raises(ConfinedFailed, match="an answer holds"):
        await confined(work)


async def test_a_record_counts_from_when_it_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confinement, "_known", dict(confinement._known))
    comes_back(hostile_answers.Plain)
    assert await confined(hostile_answers.instance_of_ours) == hostile_answers.Plain("x")


async def test_a_problem_keeps_its_own_status_code_and_no_headers_whatever_the_other_side_says() -> None:
    with pytest.raises(GitRefused) as caught:
        await confined(hostile_answers.problem_that_lies)
    problem = caught.value
    assert (problem.status, problem.code, problem.headers) == (422, "git_refused", {})
    assert (problem.detail, problem.extra) == ("no", {"field": "x"})


async def test_a_registered_record_is_no_problem_to_be_raised() -> None:
    with pytest.raises(ConfinedFailed, match="as a problem"):
        await confinement._told(pickle.dumps((False, (Archive, ({},), {}))))


@pytest.mark.parametrize("noticed", [True, False])
async def test_a_process_that_died_while_it_was_idle_is_replaced_and_the_work_is_done(*, noticed: bool) -> None:
    pid = await confined(os.getpid)
    os.kill(pid, signal.SIGKILL)
    while noticed and Path(f"/proc/{pid}").exists():
        await asyncio.sleep(0.01)
    assert await confined(len, "abc") == 3
    assert await confined(os.getpid) != pid


async def test_two_idle_processes_that_died_are_both_replaced() -> None:
    pids = set(await asyncio.gather(*(confined(hostile_answers.slow_pid) for _ in range(2))))
    assert len(pids) == 2
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert set(await asyncio.gather(*(confined(hostile_answers.slow_pid) for _ in range(2)))).isdisjoint(pids)


async def test_a_process_that_dies_over_its_work_is_told_as_too_costly_and_the_work_is_not_tried_again(
    tmp_path: Path
) -> None:
    await confined(len, "warm")
    with pytest.raises(TooCostly):
        await confined(hostile_answers.die_once, str(tmp_path / "tried"))
    assert len(list(tmp_path.iterdir())) == 1
    assert await confined(len, "abc") == 3


async def test_processes_that_never_begin_are_not_started_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    begin = confinement._Child.start

    async def stillborn() -> confinement._Child:
        child = await begin()
        child.kill()
        started.append(1)
        return child

    monkeypatch.setattr(confinement._Child, "start", stillborn)
    with pytest.raises(TooCostly):
        await confined(len, "abc")
    assert len(started) == 1
