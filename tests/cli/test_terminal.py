"""What a person at a terminal sees: a live view, colours only where wanted, a Ctrl-C that leaves the run alone."""

import asyncio
import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.chaos.client import OWNER, set_up
from tests.chaos.harness import stage
from tests.chaos.processes import AUTOMATOS, ROOT, environment
from tests.cli.conftest import EXAMPLES, Cli

COLOUR = re.compile(rb"\x1b\[[0-9;]*3[0-7][0-9;]*m")


def at_terminal(
    cli: Cli, *arguments: str, interrupt_after: bytes | None = None, answers: dict[bytes, str] | None = None,
    **more: str,
) -> tuple[int, bytes]:
    """Run a command on a pseudo-terminal, typing each answer at its prompt; return its exit code and all it wrote."""
    typed = dict(answers or {})
    master, slave = pty.openpty()
    variables = cli.variables | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"} | more
    process = subprocess.Popen(
        [AUTOMATOS, *arguments], env=variables, cwd=ROOT, stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True, preexec_fn=hear_ctrl_c,  # noqa: PLW1509  # the child has one thread yet
    )
    os.close(slave)
    seen, until = b"", time.monotonic() + 60
    while time.monotonic() < until:
        ready, _, _ = select.select([master], [], [], 0.1)
        try:
            seen += os.read(master, 65536) if ready else b""
        except OSError:
            break
        if interrupt_after and interrupt_after in seen:
            process.send_signal(signal.SIGINT)
            interrupt_after = None
        for prompt in [prompt for prompt in typed if prompt in seen]:
            os.write(master, f"{typed.pop(prompt)}\n".encode())
    os.close(master)
    return process.wait(10), seen


def hear_ctrl_c() -> None:
    """Tests that were started in the background of a shell would hand on that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
async def test_a_person_signs_in_with_a_password_that_is_not_shown(tmp_path: Path) -> None:
    async with stage() as scene:
        server = await scene.start_server()
        cli = Cli(environment(tmp_path / "home") | {"AUTOMATOS_URL": server.url})
        before = await asyncio.to_thread(at_terminal, cli, "auth", "login")
        assert before[0] == 4
        assert b"this server has no account yet" in before[1]
        async with await set_up(server.url):
            answers = {b"Email: ": OWNER["email"], b"Password: ": OWNER["password"]}
            code, seen = await asyncio.to_thread(at_terminal, cli, "auth", "login", answers=answers)
            assert code == 0, seen
            assert f"as {OWNER['email']}".encode() in seen
            assert OWNER["password"].encode() not in seen
            assert cli("agent", "create", "--name", "Mine").returncode == 0
            assert cli("auth", "logout").returncode == 0
            assert cli("agent", "list").returncode == 4

            wrong = {b"Email: ": OWNER["email"], b"Password: ": "not it at all"}
            code, _ = await asyncio.to_thread(at_terminal, cli, "auth", "login", answers=wrong)
            assert code == 4


def test_a_run_is_drawn_live_and_its_output_follows(signed_in: Cli) -> None:
    signed_in("recipe", "apply", EXAMPLES / "research-digest.yaml")

    code, seen = at_terminal(signed_in, "recipe", "cook", "research-digest", "--watch")

    assert code == 0
    assert COLOUR.search(seen)
    assert b"Evidence Gatherer" in seen
    assert b"[demo] No model is connected" in seen
    assert b"ok completed in " in seen


def test_no_color_is_obeyed(signed_in: Cli) -> None:
    code, seen = at_terminal(signed_in, "recipe", "cook", "research-digest", "--watch", NO_COLOR="1")

    assert code == 0
    assert not COLOUR.search(seen)


def test_ctrl_c_leaves_the_run_alone_and_says_how_to_come_back(signed_in: Cli) -> None:
    code, seen = at_terminal(signed_in, "recipe", "cook", "research-digest", "--watch", interrupt_after=b"run 01")

    found = re.search(rb"the run goes on; come back with: automatos run watch (\S+)", seen)
    assert code == 130
    assert found
    assert b"Traceback" not in seen
    assert signed_in("run", "watch", found[1].decode(), "--exit-status").returncode == 0


def test_a_change_is_made_only_when_the_person_says_so(signed_in: Cli) -> None:
    signed_in("agent", "create", "--name", "Asked", "--no-activate")
    edit = ("agent", "edit", "Asked", "--set", "description=Changed")

    code, seen = at_terminal(signed_in, *edit, answers={b"[y/N] ": "n"})
    assert (code, b"nothing was changed" in seen, b"+ Changed" in seen) == (1, True, True)
    code, seen = at_terminal(signed_in, *edit, answers={b"[y/N] ": "y"})
    assert (code, b"saved as version 2" in seen) == (0, True)
    code, seen = at_terminal(signed_in, "agent", "delete", "Asked", "--no-input")
    assert (code, b"--yes" in seen) == (2, True)


def test_a_status_is_watched_until_ctrl_c(signed_in: Cli) -> None:
    signed_in("agent", "create", "--name", "Watched", "--no-activate")

    code, seen = at_terminal(signed_in, "agent", "status", "Watched", "--watch", interrupt_after=b"can become")

    assert (code, b"Watched is inactive" in seen, b"Traceback" in seen) == (130, True, False)


def test_a_secret_is_typed_unseen(signed_in: Cli) -> None:
    create = ("credential", "create", "Typed", "--type", "openai_api")

    code, seen = at_terminal(signed_in, *create, answers={b"api_key: ": "sk-never-shown-0123456789"})

    assert (code, b"never-shown" in seen) == (0, False), seen
    assert "set (" in signed_in("credential", "get", "Typed").stdout
    assert signed_in("credential", "delete", "Typed", "--yes").returncode == 0


@pytest.mark.parametrize("command", [
    "agent list", "run list", "model list", "credential types", "persona list", "setting catalogue", "audit list",
    "skill list", "pattern list",
])
def test_tables_fit_a_narrow_terminal_without_colours(signed_in: Cli, command: str) -> None:
    code, seen = at_terminal(signed_in, *command.split(), COLUMNS="80", NO_COLOR="1")

    assert (code, b"\x1b" in seen) == (0, False)
    assert max(map(len, seen.decode().splitlines())) <= 80
