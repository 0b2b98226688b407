"""Work in a process of its own ends when it takes too much, and nobody else waits for it."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from automatos.kernel.confined import Allowance, ConfinedFailed, TooCostly, close_pool, confined, confined_for
from automatos.kernel.remote_bytes import read_page
from automatos.skills.archive import Archive, read_archive
from automatos.skills.errors import ArchiveRefused
from automatos.skills.types import Fitness


@pytest.fixture(autouse=True)
async def _ended() -> AsyncIterator[None]:
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


@pytest.mark.parametrize("member", list(Fitness))
async def test_members_of_our_enumerations_come_back_on_every_python(member: Fitness) -> None:
    assert await confined(Fitness, member.value) is member


async def test_an_answer_holds_data_and_nothing_that_acts() -> None:
    with pytest.raises(ConfinedFailed, match="an answer holds"):
        await confined(os.uname)
