"""Tools that a run carries with it are held to the rules of the built-in ones; scripts run confined or not at all."""

import asyncio
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from automatos.llm.types import ToolSpec
from automatos.tools import registry
from automatos.tools.errors import ToolRefused
from automatos.tools.service import Toolbox
from automatos.tools.types import Effect, HandedTool, Script, ToolContext

Make = Callable[..., ToolContext]
PARAMETERS = {"type": "object", "required": ["word"], "additionalProperties": False,
              "properties": {"word": {"type": "string", "maxLength": 5}}}


def handed(run: Any, parameters: dict[str, Any] = PARAMETERS, deadline_s: float = 5.0) -> dict[str, HandedTool]:
    return {"echo": HandedTool(ToolSpec("echo", "Says it again.", parameters), run, Effect.READ, deadline_s)}


async def echo(arguments: dict[str, Any], context: ToolContext) -> str:
    return f"{arguments['word']} for {context.agent_id}"


@pytest.fixture
async def shell(toolbox: Toolbox, home: Path) -> Toolbox:
    del home
    await toolbox.open()
    if reason := toolbox.scripts_off_reason:
        pytest.skip(f"no sandbox on this machine: {reason}")
    return toolbox


@pytest.mark.capability("S061")
async def test_a_handed_down_tool_is_offered_and_called(toolbox: Toolbox, context: Make) -> None:
    tools = handed(echo)
    assert [spec.name for spec in toolbox.specs_with(("echo", "calculator"), tools)] == ["calculator", "echo"]
    assert [spec.name for spec in toolbox.specs_with(("calculator",), tools)] == ["calculator"]

    told = await toolbox.call("echo", '{"word": "hi"}', context(allowed=frozenset({"echo"}), handed=tools))

    assert (told.ok, told.output) == (True, "hi for 1")


async def test_it_is_held_to_the_same_rules(toolbox: Toolbox, context: Make) -> None:
    async def hang(*_: object) -> str:
        await asyncio.sleep(60)
        return ""

    async def refuse(*_: object) -> str:
        raise ToolRefused("no_way", "No way.")

    async def fail(*_: object) -> str:
        raise RuntimeError("the password is hunter2")

    codes = [
        await toolbox.call("echo", arguments, context(
            allowed=frozenset({granted}), handed=handed(run, deadline_s=0.05)))
        for run, arguments, granted in (
            (echo, '{"word": "hi"}', "calculator"), (echo, '{"word": "too long"}', "echo"), (echo, "{}", "echo"),
            (hang, '{"word": "hi"}', "echo"), (refuse, '{"word": "hi"}', "echo"), (fail, '{"word": "hi"}', "echo"))
    ]
    assert [told.error_code for told in codes] == [
        "tool_not_granted", "invalid_arguments", "invalid_arguments", "tool_timeout", "no_way", "tool_failed"]
    assert "hunter2" not in codes[-1].output


async def test_no_tool_takes_the_place_of_a_built_in_one(toolbox: Toolbox, context: Make) -> None:
    tools = {"calculator": HandedTool(ToolSpec("calculator", "Mine.", PARAMETERS), echo)}
    told = await toolbox.call("calculator", '{"expression": "1+1"}', context(handed=tools))
    assert told.output == "2"
    assert [spec.description for spec in toolbox.specs_with(("calculator",), tools)] != ["Mine."]


async def test_a_schema_of_others_cannot_keep_the_server_busy_or_make_it_ask(
    toolbox: Toolbox, context: Make
) -> None:
    """Neither a regular expression that takes forever nor an address in a schema is followed."""
    slow = {"type": "object", "properties": {"word": {"type": "string", "pattern": "^(a+)+$"}}}
    told = await asyncio.wait_for(
        toolbox.call("echo", '{"word": "' + "a" * 60 + '!"}',
                     context(allowed=frozenset({"echo"}), handed=handed(echo, slow))), 2)
    assert told.ok
    away = {"type": "object", "properties": {"word": {"$ref": "http://127.0.0.1:1/schema"}}}
    told = await toolbox.call("echo", '{"word": "hi"}', context(allowed=frozenset({"echo"}), handed=handed(echo, away)))
    assert told.error_code == "tool_failed"


async def test_a_script_works_on_the_files_of_the_execution_and_cannot_change_itself(
    shell: Toolbox, context: Make, home: Path
) -> None:
    script = (
        b"import json, os, pathlib, sys\nfrom words import greeting\n"
        b"name = json.load(sys.stdin)['name']\npathlib.Path('out.txt').write_text(greeting + name)\n"
        b"try:\n    pathlib.Path('/skill/scripts/run.py').write_text('')\n"
        b"except OSError as error:\n    print(error.strerror)\n"
        b"print(sorted(os.listdir('/skill')), os.getuid())\n")
    files = {"scripts/run.py": script, "scripts/words.py": b"greeting = 'Hello '\n", "assets/a.txt": b"x"}

    told = await shell.run_script(Script(files, "scripts/run.py", {"name": "Ada"}), context())

    assert told.splitlines() == ["Read-only file system", "['assets', 'scripts'] 65534"]
    assert (home / "files" / "out.txt").read_text() == "Hello Ada"
    assert list((home / "scripts").iterdir()) == []


@pytest.mark.parametrize("command", [
    "cat /etc/shadow", "ls /root", "touch /usr/x", "kill -9 {pid}", "cat {home}/scripts/*/arguments.json",
    "cat /proc/1/environ | tr '\\0' '\\n' | grep -i key",
    "python3 -c \"import socket; socket.create_connection(('127.0.0.1', 22), 2)\"",
])
async def test_a_script_cannot_get_out(shell: Toolbox, context: Make, home: Path, command: str) -> None:
    body = command.replace("{home}", str(home)).replace("{pid}", str(os.getpid())).encode()
    with pytest.raises(ToolRefused) as refused:
        await shell.run_script(Script({"scripts/x.sh": body}, "scripts/x.sh", {}), context())
    assert refused.value.code == "script_failed"


async def test_without_a_sandbox_no_script_runs(toolbox: Toolbox, context: Make, home: Path) -> None:
    with pytest.raises(ToolRefused) as refused:
        await toolbox.run_script(Script({"scripts/x.sh": b"touch ran"}, "scripts/x.sh", {}), context())
    assert refused.value.code == "tool_off"
    assert not list(home.rglob("*"))


@pytest.mark.parametrize("command", ["scripts/x.rb", "scripts/none.sh", "x"])
async def test_only_scripts_of_known_kinds_run(shell: Toolbox, context: Make, command: str) -> None:
    with pytest.raises(ToolRefused):
        await shell.run_script(Script({"scripts/x.rb": b"", "x": b""}, command, {}), context())


LOOPS = {"type": "object", "allOf": [{"$ref": "#/$defs/a0"}], "$defs": {
    **{f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(24)}, "a24": {}}}


@pytest.mark.parametrize(("schema", "arguments"), [
    (LOOPS, "{}"),
    ({"type": "object", "properties": {"word": {
        "$schema": "http://json-schema.org/draft-07/schema#", "pattern": "^(a+)+$"}}}, '{"word": "' + "a" * 40 + '!"}'),
    ({"type": "object", "properties": {"word": {"type": "array", "uniqueItems": True}}},
     '{"word": [' + ",".join(f'{{"a": {i}}}' for i in range(4000)) + "]}"),
    ({"type": "object", "properties": {"word": {"type": "array", "items": {"allOf": [{"type": "integer"}] * 50}}}},
     '{"word": [' + ",".join("1" for _ in range(100_000)) + "]}"),
], ids=["references that double", "another dialect's patterns", "unique objects", "many values"])
async def test_a_schema_of_others_is_looked_at_so_often_and_no_more(
    toolbox: Toolbox, context: Make, monkeypatch: pytest.MonkeyPatch, schema: dict[str, Any], arguments: str
) -> None:
    """Checking happens between all other work of the process, so what takes long is refused or left out."""
    asked = count(1)
    monkeypatch.setattr(registry, "_left", Counted(asked))

    await toolbox.call("echo", arguments, context(allowed=frozenset({"echo"}), handed=handed(echo, schema)))

    assert next(asked) <= registry.MAX_CHECKS + 2, "a check went on after all were used up"


@dataclass
class Counted:
    """The number of checks that are left, and how often it was asked for."""

    asked: Iterator[int]
    left: Iterator[int] = field(default_factory=lambda: iter(()))

    def set(self, left: Iterator[int]) -> None:
        self.left = left

    def get(self) -> Iterator[int]:
        next(self.asked)
        return self.left

    def reset(self, _: object) -> None:
        self.left = iter(())


@pytest.mark.parametrize("schema", [
    {"type": "object", "$ref": "#"}, {"type": "object", "allOf": [{"$ref": "#/$defs/a"}],
                                      "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
    {"type": "object", "unevaluatedProperties": False, "anyOf": [{"$ref": "#"}]},
], ids=["itself", "in a circle", "by what is not evaluated"])
async def test_a_schema_that_refers_to_itself_without_end_is_told(
    toolbox: Toolbox, context: Make, schema: dict[str, Any]
) -> None:
    result = await toolbox.call("echo", '{"word": "a"}', context(allowed=frozenset({"echo"}),
                                                                 handed=handed(echo, schema)))
    assert (result.ok, result.error_code) == (False, "invalid_arguments")
    assert "refers to itself without end" in result.output
