"""The shell runs in the sandbox or not at all."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import orjson
import psutil
import pytest

from automatos.tools.sandbox import Sandbox
from automatos.tools.service import Toolbox
from automatos.tools.types import ToolContext, ToolResult

Make = Callable[..., ToolContext]


@pytest.fixture
async def shell(toolbox: Toolbox, home: Path) -> Toolbox:
    """A toolbox that has found out whether it may run commands; `home` opens the way for the sandbox's user."""
    del home
    await toolbox.open()
    if reason := toolbox.off_reason("shell"):
        pytest.skip(f"no sandbox on this machine: {reason}")
    return toolbox


async def run(toolbox: Toolbox, context: ToolContext, command: str, **more: object) -> ToolResult:
    return await toolbox.call("shell", orjson.dumps({"command": command} | more).decode(), context)


async def test_a_command_works_on_the_files_of_the_execution(shell: Toolbox, context: Make, home: Path) -> None:
    await shell.call("write_file", '{"path": "data/in.txt", "content": "b\\na\\n"}', context())

    told = await run(shell, context(), "sort data/in.txt > data/out.txt; cat data/out.txt; echo oops >&2; exit 3")

    assert told.ok
    assert told.output == "exit code 3\na\nb\noops\n"
    assert (await shell.call("read_file", '{"path": "data/out.txt"}', context())).output == "a\nb\n"


@pytest.mark.parametrize("command", [
    "cat /etc/passwd", "cat /etc/shadow", "ls /root /home /var", "ls /work/..|grep -q root", "ls /proc/1/root/home",
    "touch /usr/x", "mkdir /new", "unshare -U true", "unshare -n true", "mount -t tmpfs none /mnt",
    "ls {home}", "cat {home}/../secret", "kill -9 {pid}",
    "python3 -c \"import socket; socket.create_connection(('1.1.1.1', 53), 2)\"",
    "python3 -c \"import socket; socket.create_connection(('127.0.0.1', {port}), 2)\"",
    "head -c 40000000 /dev/zero > big", "python3 -c 'x = bytearray(4 * 2**30)'", "ulimit -n 100000",
])
async def test_a_command_cannot_get_out(
    shell: Toolbox, context: Make, home: Path, tmp_path: Path, command: str
) -> None:
    (tmp_path / "secret").write_text("secret")
    listener = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    filled = command.replace("{home}", str(home)).replace("{pid}", str(os.getpid())).replace("{port}", str(port))

    told = await run(shell, context(), filled)

    listener.close()
    assert not told.output.startswith("exit code 0"), told.output
    assert "secret" not in told.output.replace("../secret", "")


async def test_the_environment_and_the_processes_of_the_server_are_unseen(
    shell: Toolbox, context: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    told = await run(shell, context(), "env; id -u; ls /proc | grep -c '^[0-9]'; cat /proc/*/environ | tr '\\0' '\\n'")
    assert "sk-secret" not in told.output
    assert "65534" in told.output


async def test_a_bomb_of_processes_is_held(shell: Toolbox, context: Make) -> None:
    bomb = "i=0; while [ $i -lt 500 ]; do sleep 5 & i=$((i+1)); done; echo all"
    told = await run(shell, context(), bomb, timeout_seconds=4)
    assert "all" not in told.output
    assert (await run(shell, context(), "echo fine")).output == "exit code 0\nfine\n"


async def test_time_is_up_for_all_it_started(shell: Toolbox, context: Make) -> None:
    told = await run(shell, context(), "sleep 4217 & sleep 4217", timeout_seconds=1)
    assert (told.ok, told.error_code) == (False, "tool_timeout")
    await _gone("4217")


async def test_cancelling_ends_the_command(shell: Toolbox, context: Make) -> None:
    task = asyncio.create_task(run(shell, context(), "sleep 4218"))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await _gone("4218")


async def _gone(mark: str) -> None:
    for _ in range(50):
        if not any(mark in (process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"a process with {mark} still runs")


async def test_a_flood_of_output_is_cut(shell: Toolbox, context: Make) -> None:
    told = await run(shell, context(), "yes | head -c 20000000")
    assert told.ok
    assert len(told.output) < 21_000


async def test_without_a_working_sandbox_nothing_runs(
    toolbox: Toolbox, context: Make, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    untried = await run(toolbox, context(), "touch ran")
    assert untried.error_code == "tool_off"

    monkeypatch.setenv("PATH", str(tmp_path))
    await toolbox.open()
    missing = await run(toolbox, context(), "touch ran")
    assert missing.error_code == "tool_off"
    assert "bwrap" in missing.output

    for name, body in (("bwrap", "#!/bin/sh\necho no namespaces here; exit 1\n"), ("prlimit", "#!/bin/sh\n")):
        (tmp_path / name).write_text(body)
        (tmp_path / name).chmod(0o755)
    broken = Sandbox()
    await broken.probe(tmp_path / "probe")
    assert broken.off_reason
    assert "shell" not in [spec.name for spec in toolbox.specs(("shell",))]
    assert not list(home.rglob("ran"))
