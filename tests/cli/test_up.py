"""`automatos up`: what it refuses before anything runs, the first start, and the end in order."""

import asyncio
import os
import re
import signal
import socket
from pathlib import Path

import aiohttp
import pytest

from automatos.kernel.embedded import data_directory
from tests.chaos.client import set_up
from tests.chaos.harness import stage
from tests.chaos.processes import AUTOMATOS, Process, Server, environment, free_port, postmaster
from tests.cli.conftest import Cli

SAMPLE = r"(?m)^sample recipe completed: 3 steps by 3 agents, [\d,]+ tokens, [\d.]+ s, .*demo.*: (http://\S+)$"


def refused(cli: Cli, home: Path, *arguments: str, **more: str) -> str:
    """Start a server that must not start; return its one paragraph."""
    done = cli("up", *arguments, **more)

    assert done.returncode == 1
    assert re.fullmatch(r"(Starting Automatos \S+ \.\.\.\n)?", done.stdout)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert postmaster(data_directory(home) / "cluster") is None
    return lines[0]


def home_of(cli: Cli) -> Path:
    return Path(cli.variables["AUTOMATOS_HOME"])


def test_a_taken_port_is_refused_before_the_database_starts_and_another_is_offered(alone: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused(alone, home_of(alone), "--port", str(port))

    assert re.search(rf"Port {port} of 127\.0\.0\.1 is taken.*use --port \d+", said)
    assert not data_directory(home_of(alone)).exists()


def test_a_home_that_cannot_be_written_is_refused_with_what_to_do(alone: Cli) -> None:
    said = refused(alone, home_of(alone), "--home", "/dev/null/home")

    assert "/dev/null/home cannot be written" in said
    assert "AUTOMATOS_HOME" in said


def test_a_wrong_database_url_is_refused_without_its_password(alone: Cli) -> None:
    url = f"postgresql://me:secret@127.0.0.1:{free_port()}/automatos"
    said = refused(alone, home_of(alone), DATABASE_URL=url)

    assert "No PostgreSQL could be reached" in said
    assert "DATABASE_URL" in said
    assert "secret" not in said


def test_data_of_another_postgresql_major_is_refused(alone: Cli) -> None:
    cluster = data_directory(home_of(alone)) / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("14\n")

    assert "was written by PostgreSQL 14" in refused(alone, home_of(alone))


def test_no_sign_in_on_an_address_that_others_reach_is_refused(alone: Cli) -> None:
    said = refused(alone, home_of(alone), "--host", "0.0.0.0", REQUIRE_AUTH="false")

    assert "REQUIRE_AUTH=false makes everybody the owner" in said


def test_a_setting_that_cannot_be_is_named(alone: Cli) -> None:
    done = alone("up", AUTOMATOS_LOG_LEVEL="loud", AUTOMATOS_POTR="1")

    assert done.returncode == 1
    assert "AUTOMATOS_LOG_LEVEL: Input should be" in done.stderr
    assert "AUTOMATOS_POTR is set but means nothing" in done.stderr


async def until_said(server: Server, pattern: str) -> re.Match[str]:
    async with asyncio.timeout(60):
        while not (found := re.search(pattern, server.log.read_text())):
            assert server.is_running, server.tail()
            await asyncio.sleep(0.05)
    return found


async def page_at(url: str) -> str:
    async with aiohttp.ClientSession(headers={"Accept": "text/html"}) as session, session.get(url) as answer:
        assert answer.content_type == "text/html"
        return await answer.text()


@pytest.mark.slow
@pytest.mark.capability("S184", partly="Web app and API share port 8000; no cache is needed.")
async def test_the_first_start_cooks_the_sample_once_and_sigterm_ends_everything_in_order() -> None:
    async with stage() as scene:
        variables = {"AUTOMATOS_COOK_SAMPLE": "true", "AUTOMATOS_DEMO_DELAY_MS": "0"}
        first = await scene.start_server(variables=variables)
        address = (await until_said(first, SAMPLE))[1]
        assert re.search(r"ready in \d+\.\d s", first.log.read_text())
        assert "the built-in demo provider answers" in first.log.read_text()
        assert re.search(rf"{first.url}/setup\?token=\S+", first.log.read_text())

        cli = Cli(environment(first.home) | {"AUTOMATOS_URL": first.url})
        assert cli("auth", "login", "--local").returncode == 0
        run = cli("run", "view", address.rpartition("/")[2], "--json")
        assert '"status":"completed"' in run.stdout
        async with await set_up(first.url) as owner:
            assert (await owner.call("GET", "/api/runs"))["total"] == 1
        assert '<div id="root">' in await page_at(first.url)
        assert await first.terminate() == 0
        told = first.log.read_text()
        assert told.startswith("Starting Automatos ")
        assert f"\nLog: {first.home}/logs/server.log\n" in told
        assert re.search(r"\nStopping: .*\nAutomatos stopped\.\s*$", told)
        assert first.postgres() is None
        assert not (first.home / "server.json").exists()

        second = await scene.start_server(variables=variables, home=first.home, port=first.port)
        assert len(cli("run", "list").stdout.splitlines()) == 1
        await asyncio.sleep(0.5)
        assert "sample recipe" not in second.log.read_text()


@pytest.mark.slow
async def test_a_signal_ends_open_streams_and_lets_the_running_step_finish_first() -> None:
    async with stage() as scene:
        server = await scene.start_server(variables={"AUTOMATOS_DEMO_DELAY_MS": "20"})
        cli = Cli(environment(server.home))
        cli("auth", "login", "--local")
        cli("recipe", "apply", "examples/recipes/ticket-triage.yaml")
        run = cli("recipe", "cook", "ticket-triage").stdout.strip()
        async with aiohttp.ClientSession(headers={"X-API-Key": _key(server.home)}) as session:
            stream = await session.get(f"{server.url}/api/events?topics=runs")
            await stream.content.readline()
            assert await server.terminate() == 0
            await stream.read()
            stream.close()

        server = await scene.start_server(home=server.home, port=server.port)
        watched = cli("run", "watch", run, "--exit-status")
        assert watched.returncode == 0, watched.stderr
        assert "goes on in another worker" not in watched.stdout


@pytest.mark.slow
async def test_the_end_of_its_terminal_ends_everything_in_order() -> None:
    async with stage() as scene:
        server = await scene.start_server()
        os.kill(server.pid, signal.SIGHUP)

        assert await server.wait() == 0
        assert server.postgres() is None


@pytest.mark.slow
async def test_a_worker_of_the_same_home_finds_the_servers_own_database() -> None:
    async with stage() as scene:
        server = await scene.start_server(with_worker=False, variables={"AUTOMATOS_DEMO_DELAY_MS": "0"})
        cli = Cli(environment(server.home))
        assert cli("auth", "login", "--local").returncode == 0
        assert cli("recipe", "apply", "examples/recipes/code-review.yaml").returncode == 0
        run = cli("recipe", "cook", "code-review").stdout.strip()
        await asyncio.sleep(0.5)
        assert '"status":"queued"' in cli("run", "view", run, "--json").stdout

        address = f"127.0.0.1:{free_port()}"
        cli.variables["AUTOMATOS_WORKER_ADDRESS"] = address
        worker = scene.own(Process("worker", [str(AUTOMATOS), "worker", "--concurrency", "3"], cli.variables,
                                   scene.folder / "worker.log"))
        assert cli("run", "watch", run, "--exit-status").returncode == 0
        async with aiohttp.ClientSession(f"http://{address}") as site:
            async with site.get("/metrics") as answer:
                assert 'automatos_run_duration_seconds_count{status="completed"} 1.0' in await answer.text()
            async with site.get("/health") as answer:
                assert (answer.status, (await answer.json())["status"]) == (200, "healthy")
        taken = cli("worker")
        assert (taken.returncode, taken.stderr.count("\n")) == (1, 1)
        assert f"AUTOMATOS_WORKER_ADDRESS is {address}: " in taken.stderr
        assert "3 jobs at most" in worker.log.read_text()
        assert await worker.terminate() == 0


def test_a_worker_without_any_database_is_refused(alone: Cli) -> None:
    done = alone("worker")

    assert done.returncode == 1
    assert done.stderr.startswith("error: DATABASE_URL is not set, and no server of ")


def _key(home: Path) -> str:
    import json

    return json.loads((home / "cli.json").read_text())["api_key"]
