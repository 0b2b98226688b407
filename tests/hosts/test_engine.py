"""AUTOMATOS_ENGINE as an operator meets it: refused in one paragraph, told by the doctor and in /health."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.chaos.harness import Stage, stage
from tests.chaos.processes import AUTOMATOS, environment
from tests.temporal_server import TemporalServer

WITHOUT_THE_EXTRA = "import sys; sys.modules['temporalio'] = None\n"


@pytest.fixture(scope="module")
async def scene() -> AsyncIterator[Stage]:
    async with stage() as opened:
        yield opened


@pytest.fixture(scope="module")
async def temporal(scene: Stage) -> TemporalServer:
    return await scene.start_temporal()


async def command(home: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Run a command and return its exit code with all that it said."""
    done = await asyncio.to_thread(
        subprocess.run, [str(AUTOMATOS), *arguments], check=False, capture_output=True, text=True, timeout=120,
        env=environment(home) | {"AUTOMATOS_PORT": "0"} | variables)
    return done.returncode, done.stdout + done.stderr


async def test_an_engine_that_is_no_address_is_refused_without_repeating_it(tmp_path: Path) -> None:
    code, said = await command(tmp_path, "up", AUTOMATOS_ENGINE="temporal://user:secret@host:7233/default")

    assert code == 1
    assert "must be builtin, or the address of a Temporal server and its namespace" in " ".join(said.split())
    assert "AUTOMATOS_ENGINE" in said
    assert "secret" not in said


async def test_a_server_and_a_worker_do_not_start_where_temporal_does_not_answer(
    tmp_path: Path, scene: Stage
) -> None:
    postgres = await scene.start_postgres()
    for words in (["up"], ["worker"]):
        code, said = await command(
            tmp_path, *words, DATABASE_URL=postgres.url, AUTOMATOS_ENGINE="temporal://127.0.0.1:1/default")

        assert code == 1
        assert "No Temporal could be reached at 127.0.0.1:1" in said
        assert "without it the built-in engine is used" in " ".join(said.split())
        assert "Traceback" not in said
    assert await postgres.query("SELECT FROM durable.executors") == []


async def test_without_the_extra_a_start_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_THE_EXTRA)
    known = environment(tmp_path)["PYTHONPATH"]

    code, said = await command(
        tmp_path, "doctor", PYTHONPATH=f"{tmp_path}:{known}", AUTOMATOS_ENGINE="temporal://127.0.0.1:7233/default")

    assert code == 1
    assert "fail  engine: The engine cannot be used" in said
    assert "pip install 'automatos[temporal]'" in said


async def test_the_doctor_and_health_say_what_delivers_and_whether_it_answers(
    tmp_path: Path, scene: Stage, temporal: TemporalServer
) -> None:
    _, built_in = await command(tmp_path / "plain", "doctor")
    _, by_temporal = await command(tmp_path / "shared", "doctor", AUTOMATOS_ENGINE=temporal.engine)
    server = await scene.start_server(variables={"AUTOMATOS_ENGINE": temporal.engine})

    async def component(name: str) -> dict[str, str]:
        async with aiohttp.ClientSession() as session, session.get(f"{server.url}/health") as answer:
            return (await answer.json())["components"][name]

    assert "ok    engine: built in" in built_in
    assert f"ok    engine: Temporal at {temporal.address.target}, namespace" in by_temporal
    assert (await component("engine"))["detail"].endswith(f"delivered by Temporal at {temporal.address.target}")
    assert (await component("delivery"))["status"] == "healthy"
    temporal.end()
    async with asyncio.timeout(60):
        while (await component("delivery"))["status"] != "degraded":
            await asyncio.sleep(0.2)
    assert (await component("engine"))["status"] == "healthy"
    assert await server.terminate() == 0
