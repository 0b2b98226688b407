"""Watching from a terminal survives what happens to the server."""

import asyncio
import json

import pytest

from tests.chaos.client import three_step_recipe
from tests.chaos.harness import stage
from tests.chaos.processes import Process, environment
from tests.cli.conftest import Cli

pytestmark = pytest.mark.chaos


async def test_a_watcher_sees_every_event_once_when_the_server_is_killed_and_started_again() -> None:
    async with stage() as scene:
        model = await scene.start_model_server(latency_ms=700)
        server = await scene.start_server(model=model, variables={"AUTOMATOS_LEASE_S": "2"})
        cli = Cli(environment(server.home))
        assert cli("auth", "login", "--local").returncode == 0
        file = scene.folder / "recipe.json"
        file.write_text(json.dumps(three_step_recipe()))
        assert cli("recipe", "apply", file).returncode == 0
        run = cli("recipe", "cook", "three-steps", "-i", "task=tides").stdout.strip()
        watcher = scene.own(Process("watcher", ["automatos", "run", "watch", run, "--json"], cli.variables,
                                    scene.folder / "watcher.log"))
        while "model.answered" not in watcher.log.read_text():
            assert watcher.is_running
            await asyncio.sleep(0.05)

        server.kill()
        await asyncio.sleep(1)
        server = await scene.start_server(
            model=model, home=server.home, port=server.port, variables={"AUTOMATOS_LEASE_S": "2"})

        assert await watcher.wait(60) == 0
        lines = watcher.log.read_text().splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{")]
        seqs = [event["seq"] for event in events if event["seq"]]
        assert seqs == list(range(1, len(seqs) + 1))
        assert "execution.recovered" in [event["type"] for event in events]
        assert events[-1]["type"] == "execution.completed"
