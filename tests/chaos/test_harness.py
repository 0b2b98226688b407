"""The harness itself: it must clean up after every failure, and its follower must resume where it stopped."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from automatos.events import types as events
from automatos.events.service import recorded
from tests.chaos.client import Follower
from tests.chaos.harness import stage
from tests.chaos.processes import ProcessDied

pytestmark = pytest.mark.chaos


async def test_ends_every_process_and_shows_its_output_when_a_test_fails() -> None:
    folders: list[Path] = []
    processes: list[psutil.Process | None] = []

    async def fail_on_stage() -> None:
        async with stage() as scene:
            postgres = await scene.start_postgres()
            model = await scene.start_model_server(latency_ms=0)
            folders.append(scene.folder)
            processes.extend([psutil.Process(model.pid), postgres.process])
            raise RuntimeError("the test failed")

    with pytest.raises(RuntimeError, match="the test failed") as raised:
        await fail_on_stage()

    _, left = psutil.wait_procs([process for process in processes if process], timeout=2)
    assert [process for process in left if process.status() != psutil.STATUS_ZOMBIE] == []
    assert (len(processes), folders[0].exists()) == (2, False)
    assert re.search(r"model server \(pid \d+.*http://127\.0\.0\.1:\d+/v1", "".join(raised.value.__notes__), re.DOTALL)


async def test_says_what_a_process_wrote_when_it_dies_before_it_is_ready() -> None:
    with pytest.raises(ProcessDied, match=r"(?s)ended before it was ready.*unrecognized arguments: --no-such-flag"):
        async with stage() as scene:
            await scene.start_model_server(no_such_flag=1)


async def test_a_frozen_process_is_still_running_and_goes_on_when_it_is_thawed() -> None:
    async with stage() as scene:
        model = await scene.start_model_server(latency_ms=0)
        model.freeze()
        async with asyncio.timeout(60):  # the signal is sent at once and takes effect soon
            while psutil.Process(model.pid).status() != psutil.STATUS_STOPPED:
                await asyncio.sleep(0.01)
        assert model.is_running
        model.thaw()
        assert await model.calls() == []
        model.kill()
        assert model.exit_code == -9


async def test_a_killed_database_comes_back_at_the_same_address_with_what_was_committed() -> None:
    async with stage() as scene:
        postgres = await scene.start_postgres()
        url = postgres.url
        await postgres.query("CREATE TABLE kept AS SELECT 42 AS answer")

        postgres.kill()
        assert postgres.process is None
        await postgres.revive()

        assert postgres.url == url
        assert [row["answer"] for row in await postgres.query("SELECT answer FROM kept")] == [42]


@pytest.fixture
async def breaking_stream() -> AsyncIterator[str]:
    """A stream of five events that breaks after every second one, mid-frame, and resumes after Last-Event-ID."""
    told = [recorded(each) for each in (
        events.ExecutionStarted(), events.ExecutionRecovered(epoch=2), events.StepRestarted(order=1, turn=1),
        events.ExecutionResumed(),
        events.ExecutionCompleted(total_tokens=3, cost_usd="0", duration_ms=5, agents=1, steps_completed=1))]

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        after = int(request.headers["Last-Event-ID"])
        for seq, each in list(enumerate(told, start=1))[after: after + 2]:
            data = f'{{"seq":{seq},"type":"{each.type}","data":{each.data}}}'
            await response.write(f"id: {seq}\nevent: {each.type}\ndata: {data}\n\n".encode())
        if after + 2 < len(told):
            await response.write(b'event: broken\ndata: {"seq":')
            assert request.transport
            request.transport.abort()
        return response

    app = web.Application()
    app.add_routes([web.get("/events", stream)])
    async with TestServer(app) as server:
        yield str(server.make_url("/events"))


async def test_a_follower_reconnects_and_records_every_event_once(breaking_stream: str) -> None:
    async with aiohttp.ClientSession() as session:
        follower = Follower(session, breaking_stream)

        assert (await follower.until("step.restarted")).seq == 3
        assert (follower.last_seq, follower.is_ended) == (3, False)
        assert (await follower.until_end()).type == "execution.completed"

    assert (follower.is_gapless, len(follower.events)) == (True, 5)


