"""File tools stay in the execution's folder, whatever the path says and whatever lies in it."""

import os
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from automatos.tools import jail
from automatos.tools.service import Toolbox
from automatos.tools.types import ToolContext, ToolResult

Make = Callable[..., ToolContext]


@pytest.fixture(params=["openat2", "walk"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs with the kernel's own guard and with the fallback for kernels without it."""
    if request.param == "walk":
        monkeypatch.setattr(jail, "has_openat2", lambda: False)
    elif not jail.has_openat2():
        pytest.skip("this kernel or container has no openat2")


async def call(toolbox: Toolbox, context: ToolContext, name: str, **arguments: object) -> ToolResult:
    return await toolbox.call(name, orjson.dumps(arguments).decode(), context)


async def test_a_written_file_is_listed_and_read_back(toolbox: Toolbox, context: Make, home: Path) -> None:
    told = await call(toolbox, context(), "write_file", path="notes/deep/plan.md", content="héllo\n")

    assert told.ok, told.output
    assert (await call(toolbox, context(), "read_file", path="./notes//deep/plan.md")).output == "héllo\n"
    assert (await call(toolbox, context(), "list_directory")).output == "notes/"
    assert (await call(toolbox, context(), "list_directory", path="notes/deep")).output == "plan.md (7 bytes)"
    assert (home / "files/notes/deep/plan.md").stat().st_mode & 0o077 == 0


async def test_an_empty_folder_says_so(toolbox: Toolbox, context: Make) -> None:
    assert (await call(toolbox, context(), "list_directory")).output == "The folder is empty."


async def test_long_files_are_read_in_pieces(toolbox: Toolbox, context: Make) -> None:
    await call(toolbox, context(), "write_file", path="long", content="a" * 60_000 + "tail")
    told = await call(toolbox, context(), "read_file", path="long", offset=60_000)
    assert told.output == "tail"


@pytest.mark.parametrize("path", [
    "/etc/passwd", "..", "../effects", "a/../../x", "a/..", "files/../../x", "\x00", "a\x00b", "x" * 256,
    "/".join("a" * 20), "x\n", "\x7f", "//etc/passwd", "./../execution",
])
@pytest.mark.parametrize("tool", ["read_file", "write_file", "list_directory"])
async def test_paths_that_lead_out_are_refused(
    toolbox: Toolbox, context: Make, home: Path, tool: str, path: str
) -> None:
    extra = {"content": "x"} if tool == "write_file" else {}
    told = await call(toolbox, context(), tool, path=path, **extra)

    assert (told.ok, told.error_code) == (False, "path_refused")
    assert not (home.parent / "x").exists()
    assert not (home / "x").exists()


async def test_links_are_not_followed(toolbox: Toolbox, context: Make, home: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    await call(toolbox, context(), "write_file", path="real", content="x")
    files = home / "files"
    (files / "link").symlink_to(secret)
    (files / "inside").symlink_to("real")
    (files / "folder").symlink_to(tmp_path)

    for path in ("link", "folder/secret", "inside"):
        told = await call(toolbox, context(), "read_file", path=path)
        assert told.error_code == "path_refused", path
        assert "secret" not in told.output.replace(path, "")
    assert (await call(toolbox, context(), "list_directory", path="folder")).error_code == "path_refused"
    told = await call(toolbox, context(call_key="b"), "write_file", path="folder/new", content="x")
    assert told.error_code == "path_refused"
    assert not (tmp_path / "new").exists()

    told = await call(toolbox, context(call_key="c"), "write_file", path="link", content="mine")
    assert told.ok
    assert secret.read_text() == "secret"
    assert "link" not in (await call(toolbox, context(), "list_directory")).output.split("link (", 1)[1][:20]


async def test_a_sibling_with_the_same_prefix_is_out_of_reach(toolbox: Toolbox, context: Make, home: Path) -> None:
    sibling = home / "files-of-another"
    sibling.mkdir(parents=True)
    (sibling / "secret").write_text("secret")
    told = await call(toolbox, context(), "read_file", path="../files-of-another/secret")
    assert told.error_code == "path_refused"


async def test_what_is_not_a_file_is_refused_without_waiting(toolbox: Toolbox, context: Make, home: Path) -> None:
    await call(toolbox, context(), "list_directory")
    os.mkfifo(home / "files/pipe")
    (home / "files/folder").mkdir()
    for path in ("pipe", "folder", "."):
        assert (await call(toolbox, context(), "read_file", path=path)).error_code == "path_refused"
    for path in ("folder", ".", "pipe/x"):
        told = await call(toolbox, context(call_key=path), "write_file", path=path, content="x")
        assert told.error_code == "path_refused"
    assert (await call(toolbox, context(), "read_file", path="absent")).error_code == "not_found"
    assert not list((home / "files").glob(".*draft"))


async def test_too_much_content_is_refused_by_field(toolbox: Toolbox, context: Make) -> None:
    told = await call(toolbox, context(), "write_file", path="a", content="x" * 1_000_001)
    assert told.error_code == "invalid_arguments"
    assert "content" in told.output


async def test_the_same_call_made_again_changes_nothing(toolbox: Toolbox, context: Make, home: Path) -> None:
    first = await call(toolbox, context(call_key="e:1:1:a"), "write_file", path="a", content="one")
    (home / "files/a").write_text("changed since")

    again = await call(toolbox, context(call_key="e:1:1:a"), "write_file", path="a", content="one")

    assert again == first
    assert (home / "files/a").read_text() == "changed since"
    await call(toolbox, context(call_key="e:1:2:b"), "write_file", path="a", content="two")
    assert (home / "files/a").read_text() == "two"
