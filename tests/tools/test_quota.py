"""What the files of an execution, and of all in a workspace, may take is held; what is full can be emptied."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from automatos.tools import quota
from automatos.tools import room as rooms
from automatos.tools.room import Folders
from automatos.tools.service import Toolbox
from automatos.tools.types import ToolContext, ToolResult

Make = Callable[..., ToolContext]
QUOTA = 1024**2
LARGE = 900_000


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


@pytest.fixture
def at_work(toolbox: Toolbox) -> set[str]:
    """The executions that have not ended, of workspaces that may hold three times what one execution may."""
    names = set[str]()

    async def unfinished(_: UUID) -> frozenset[str]:
        return frozenset(names)

    toolbox._folders = Folders(3 * QUOTA, unfinished)
    return names


async def test_many_executions_fill_no_more_than_their_workspace_may_hold(
    toolbox: Toolbox, context: Make, home: Path, at_work: set[str]
) -> None:
    at_work |= {"a", "b", "c", "d"}
    for name in ("a", "b", "c"):
        assert (await write(toolbox, context(home=home / name, call_key=name), "x", LARGE)).ok

    refused = await write(toolbox, context(home=home / "d", call_key="d"), "deep/x", QUOTA // 2)

    assert (refused.ok, refused.error_code) == (False, "files_full")
    assert "other executions" in refused.output
    assert not (home / "d/files/deep").exists()
    elsewhere = context(home=home.parent / "another" / "e", call_key="e")
    assert (await write(toolbox, elsewhere, "x", QUOTA // 2)).ok, "another workspace has room of its own"


async def test_the_oldest_folders_of_ended_executions_give_way_and_no_other(
    toolbox: Toolbox, context: Make, home: Path, at_work: set[str]
) -> None:
    at_work |= {"a", "b", "c", "d", "e"}
    for name in ("a", "b", "c"):
        assert (await write(toolbox, context(home=home / name, call_key=name), "x", LARGE)).ok
    for name in ("b", "a"):
        at_work.discard(name)
    (home / "b").touch()  # what was written to last

    assert (await write(toolbox, context(home=home / "d", call_key="d"), "x", QUOTA // 2)).ok
    assert {each.name for each in home.iterdir()} == {"b", "c", "d"}
    assert (await write(toolbox, context(home=home / "e", call_key="e"), "x", QUOTA // 2)).ok
    assert {each.name for each in home.iterdir()} == {"c", "d", "e"}


async def test_what_another_process_wrote_counts_too(
    toolbox: Toolbox, context: Make, home: Path, at_work: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work |= {"a", "b", "c", "d"}
    assert (await write(toolbox, context(home=home / "a", call_key="1"), "x", 10)).ok
    for name in ("b", "c", "d"):
        (home / name).mkdir()
        (home / name / "x").write_bytes(bytes(QUOTA))

    assert (await write(toolbox, context(home=home / "a", call_key="2"), "y", 10)).ok, "sizes are believed for a while"
    monkeypatch.setattr(rooms, "MEASURED_FOR_S", 0.0)
    assert (await write(toolbox, context(home=home / "a", call_key="3"), "z", 10)).error_code == "files_full"


async def test_commands_that_fill_a_workspace_together_are_stopped_together(
    shell: Toolbox, context: Make, home: Path, at_work: set[str]
) -> None:
    at_work |= {"a", "b", "c", "d", "e"}
    fill = "i=0; while :; do head -c 65536 /dev/zero > f$i; i=$((i+1)); done"
    ended = await asyncio.gather(*(
        run(shell, context(home=home / name, call_key=name), fill) for name in ("a", "b", "c", "d")))

    assert {each.error_code for each in ended} == {"files_full"}
    await run(shell, context(home=home / "e", call_key="e"), "head -c 65536 /dev/zero > more")
    assert not any(path.stat().st_size for path in (home / "e").rglob("more")), "a full workspace takes no byte"
