"""What a person at a terminal sees: a live view, colours only where wanted, a Ctrl-C that leaves the run alone."""

import os
import pty
import re
import select
import signal
import subprocess
import time

from tests.chaos.processes import AUTOMATOS, ROOT
from tests.entrypoints.cli.conftest import EXAMPLES, Cli

COLOUR = re.compile(rb"\x1b\[[0-9;]*3[0-7][0-9;]*m")


def at_terminal(cli: Cli, *arguments: str, interrupt_after: bytes | None = None, **more: str) -> tuple[int, bytes]:
    """Run a command on a pseudo-terminal; return its exit code and all it wrote."""
    master, slave = pty.openpty()
    variables = cli.variables | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"} | more
    process = subprocess.Popen(
        [AUTOMATOS, *arguments], env=variables, cwd=ROOT, stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True,
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
    os.close(master)
    return process.wait(10), seen


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
