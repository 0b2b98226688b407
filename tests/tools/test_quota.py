"""What an execution's files may take is held while tools write, and what is full can be emptied."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from automatos.tools import quota
from automatos.tools.service import Toolbox
from automatos.tools.types import ToolContext, ToolResult

Make = Callable[..., ToolContext]
QUOTA = 1024**2


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota, "MAX_BYTES", QUOTA)


@pytest.fixture
async def shell(toolbox: Toolbox, home: Path) -> Toolbox:
    del home
    await toolbox.open()
    if reason := toolbox.off_reason("shell"):
        pytest.skip(f"no sandbox on this machine: {reason}")
    return toolbox


async def write(toolbox: Toolbox, context: ToolContext, path: str, size: int) -> ToolResult:
    return await toolbox.call("write_file", orjson.dumps({"path": path, "content": "x" * size}).decode(), context)


async def run(toolbox: Toolbox, context: ToolContext, command: str) -> ToolResult:
    return await toolbox.call("shell", orjson.dumps({"command": command}).decode(), context)


async def test_files_are_written_until_the_folder_is_full(toolbox: Toolbox, context: Make, home: Path) -> None:
    half = QUOTA // 2
    assert (await write(toolbox, context(call_key="a"), "one", half)).ok

    refused = await write(toolbox, context(call_key="b"), "deep/two", half + 1)

    assert (refused.ok, refused.error_code) == (False, "files_full")
    assert "1 MB" in refused.output
    assert not (home / "files/deep").exists()
    assert (await write(toolbox, context(call_key="c"), "three", half - 8192)).ok


async def test_files_without_content_are_counted_too(toolbox: Toolbox, context: Make) -> None:
    results = [await write(toolbox, context(call_key=str(number)), f"empty-{number}", 0)
               for number in range(QUOTA // quota.ENTRY_BYTES + 1)]

    assert [each.ok for each in results] == [True] * (QUOTA // quota.ENTRY_BYTES) + [False]


@pytest.mark.parametrize("command", [
    "i=0; while :; do head -c 65536 /dev/zero > f$i; i=$((i+1)); done",
    "i=0; while :; do : > f$i; i=$((i+1)); done",
    "mkdir f; cd f; i=0; while :; do mkdir d; cd d; i=$((i+1)); done",
])
async def test_a_command_that_fills_the_folder_is_stopped_and_then_only_deletes(
    shell: Toolbox, context: Make, command: str
) -> None:
    stopped = await run(shell, context(call_key="fill"), command)
    assert (stopped.ok, stopped.error_code) == (False, "files_full")

    more = await run(shell, context(call_key="more"), "head -c 65536 /dev/zero > more; stat -c %s more")
    assert more.output.splitlines()[-1] == "0", "a full folder takes no byte"
    assert (await run(shell, context(call_key="empty"), "rm -rf f* more")).output.startswith("exit code 0")
    assert (await run(shell, context(call_key="again"), "echo back > again && cat again")).output.endswith("back\n")


async def test_what_leads_out_of_the_folder_is_not_counted(shell: Toolbox, context: Make) -> None:
    linked = await run(shell, context(call_key="link"), "ln -s / out && ln -s . round && echo x > x && cat x")

    assert linked.output == "exit code 0\nx\n"
    assert (await write(shell, context(call_key="b"), "more", 100)).ok
