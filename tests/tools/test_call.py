"""What every call of a tool keeps to: grants, checked arguments, time, size, and no word of the server's inside."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import orjson
import pytest

from automatos.kernel.config import Settings
from automatos.kernel.http import Http
from automatos.tools import service
from automatos.tools.service import MAX_OUTPUT_CHARS, Toolbox
from automatos.tools.types import Effect, ToolContext

Make = Callable[..., ToolContext]


async def call(toolbox: Toolbox, context: ToolContext, name: str, **arguments: object):
    return await toolbox.call(name, orjson.dumps(arguments).decode(), context)


@pytest.mark.parametrize("name", ["calculator", "no_such_tool", "", "../calculator", "x" * 10_000])
async def test_a_tool_that_was_not_granted_is_refused(toolbox: Toolbox, context: Make, name: str) -> None:
    result = await toolbox.call(name, "{}", context(allowed=frozenset({"text_stats"})))

    assert (result.ok, result.error_code) == (False, "tool_not_granted")
    assert "text_stats" in result.output
    assert len(result.output) < 300


@pytest.mark.parametrize(("arguments", "named"), [
    ("", "expression"), ("{}", "expression"), ('{"expression": 5}', "expression"), ("[]", "object"), ("{", "JSON"),
    ('{"expression": "1", "extra": 1}', "extra"), ('{"expression": "\\ud800"}', "JSON"), ("NaN", "JSON"),
    ('{"expression": "' + "1" * 600 + '"}', "expression: does not fit maxLength 500"), ("null", "object"),
    ("[" * 100_000, "JSON"), ('{"a": "' + "x" * 3_000_000 + '"}', "longer"), ("\ud800", "JSON"),
])
async def test_arguments_that_do_not_fit_are_refused_by_field(
    toolbox: Toolbox, context: Make, arguments: str, named: str
) -> None:
    result = await toolbox.call("calculator", arguments, context())

    assert (result.ok, result.error_code) == (False, "invalid_arguments")
    assert named in result.output
    assert len(result.output) < 1000


async def test_a_call_ends_with_its_deadline(toolbox: Toolbox, context: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: object) -> str:
        await asyncio.sleep(60)
        return ""

    monkeypatch.setattr(service, "RUNNERS", MappingProxyType({"calculator": hang}))
    result = await call(toolbox, context(deadline_s=0.05), "calculator", expression="1")
    assert result.error_code == "tool_timeout"

    task = asyncio.create_task(call(toolbox, context(), "calculator", expression="1"))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_broken_tool_gives_a_result_without_internals(
    toolbox: Toolbox, context: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> str:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(service, "RUNNERS", MappingProxyType({"calculator": fail}))
    result = await call(toolbox, context(), "calculator", expression="1")

    assert result.error_code == "tool_failed"
    assert "hunter2" not in result.output


async def test_output_can_be_stored_and_is_cut_with_a_note(
    toolbox: Toolbox, context: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def flood(*_: object) -> str:
        return "\x00\ud800" + "x" * 50_000

    monkeypatch.setattr(service, "RUNNERS", MappingProxyType({"calculator": flood}))
    result = await call(toolbox, context(), "calculator", expression="1")

    assert result.ok
    assert "\x00" not in result.output
    result.output.encode()
    assert len(result.output) < MAX_OUTPUT_CHARS + 100
    assert "30002 more characters" in result.output


def test_specs_are_function_definitions_of_what_is_granted_and_works(toolbox: Toolbox) -> None:
    specs = toolbox.specs(("write_file", "calculator", "shell", "no_such_tool"))

    assert [spec.name for spec in specs] == ["calculator", "write_file"]
    assert all(spec.description and spec.parameters["type"] == "object" for spec in specs)
    assert all(spec.parameters["additionalProperties"] is False for spec in specs)


def test_every_described_tool_is_bound_and_every_bound_one_described(toolbox: Toolbox) -> None:
    assert {tool.name for tool in toolbox.available()} == set(service.RUNNERS)
    effects = {tool.name: tool.effect for tool in toolbox.available()}
    assert {name for name, effect in effects.items() if effect is Effect.WRITE} == {"http_fetch", "shell", "write_file"}


async def test_the_clock_and_the_counter_answer(toolbox: Toolbox, context: Make) -> None:
    told = await call(toolbox, context(), "current_datetime", timezone="Asia/Tokyo")
    assert "+09:00" in told.output
    for name in ("Nowhere/City", "../../etc/passwd", "", "UTC\n"):
        assert (await call(toolbox, context(), "current_datetime", timezone=name)).error_code == "invalid_arguments"
    counted = orjson.loads((await call(toolbox, context(), "text_stats", text="One two. Three!\nFour")).output)
    assert (counted["words"], counted["sentences"], counted["lines"]) == (4, 2, 2)


async def test_no_tool_begins_before_this_process_may_do_its_work(http: Http, tmp_path: Path, context: Make) -> None:
    may = asyncio.Event()
    toolbox = Toolbox(Settings(home=tmp_path), http, until_certain=may.wait)
    calling = asyncio.create_task(call(toolbox, context(), "write_file", path="x", content="y"))
    await asyncio.sleep(0.05)
    assert (calling.done(), (context().home / "files/x").exists()) == (False, False)

    may.set()
    assert (await calling).ok
    assert (context().home / "files/x").read_text() == "y"
