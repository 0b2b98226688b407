"""The command line as people use it: real processes, a real server of their own home, the demo provider."""

import io
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from automatos.cli.main import main
from tests.chaos.harness import stage
from tests.chaos.processes import AUTOMATOS, ROOT, Server, environment, free_port

EXAMPLES = ROOT / "examples/recipes"


@dataclass(frozen=True)
class Cli:
    """Runs commands with one environment."""

    variables: dict[str, str]

    def __call__(self, *arguments: str | Path, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [AUTOMATOS, *map(str, arguments)], env=self.variables | more, cwd=ROOT, input=stdin, capture_output=True,
            text=True, timeout=60, check=False,
        )

    def json(self, *arguments: str | Path, stdin: str = "", **more: str) -> Any:
        """Return what a command that must succeed writes with --json."""
        done = self(*arguments, "--json", stdin=stdin, **more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


class Quick(Cli):
    """Runs commands in this process, by the same entry point: as good for what they say, and much faster."""

    def __call__(self, *arguments: str | Path, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        written, told = io.StringIO(), io.StringIO()
        typed = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
        with (
            patch.dict(os.environ, self.variables | more, clear=True), patch.object(sys, "stdin", typed),
            patch.object(sys, "argv", ["automatos", *map(str, arguments)]),
            redirect_stdout(written), redirect_stderr(told), pytest.raises(SystemExit) as left,
        ):
            main()
        return subprocess.CompletedProcess(sys.argv, int(left.value.code or 0), written.getvalue(), told.getvalue())


@pytest.fixture(scope="package")
async def server() -> AsyncIterator[Server]:
    """A server with a worker, whose models are the demo provider."""
    async with stage() as scene:
        yield await scene.start_server(variables={"AUTOMATOS_DEMO_DELAY_MS": "2"})


@pytest.fixture(scope="package")
def signed_in(server: Server) -> Cli:
    """Commands of somebody who signed in on the server's own machine."""
    cli = Cli(environment(server.home))
    done = cli("auth", "login", "--local")
    assert done.returncode == 0, done.stderr
    return cli


@pytest.fixture(scope="package")
def quick(signed_in: Cli) -> Quick:
    """The same commands without a process for each."""
    return Quick(signed_in.variables)


@pytest.fixture
def stranger(tmp_path: Path, server: Server) -> Cli:
    """Commands of somebody with another home, who knows the server's address and nothing else."""
    return Cli(environment(tmp_path / "elsewhere") | {"AUTOMATOS_URL": server.url})


@pytest.fixture
def alone(tmp_path: Path) -> Cli:
    """Commands on a machine where no server runs."""
    return Cli(environment(tmp_path / "home") | {"AUTOMATOS_PORT": str(free_port())})
