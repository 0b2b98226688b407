"""Text while it is being written, between processes: whole for who comes late, in order with the facts, never twice."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import orjson
import pytest

from automatos.durable import texts as texts_module
from automatos.durable.stream import follow, follow_many
from automatos.durable.types import LiveText, StoredEvent, TextOf
from tests.durable.conftest import Log, Process, Processes, until
from tests.durable.test_bus import frames_of

ANSWER = TextOf('"order":1,"turn":1', "piece", "whole")


def is_last(event: StoredEvent) -> bool:
    return event.type == "execution.completed"


async def yes() -> bool:
    return True


def begun(process: Process, log: Log) -> LiveText:
    return process.bus.texts.begin((log.workspace_id, log.topic), ANSWER, log.last)


class Reading:
    """A reader in one process: what it has been told, with its text put together."""

    def __init__(self, process: Process, log: Log, *, in_many: bool = False) -> None:
        self.seqs: list[int] = []
        self.types: list[str] = []
        self.text = self.reasoning = ""
        bus, database = process.bus, process.database
        stream = (follow_many(bus, database, log.workspace_id, {log.topic: 0}, [], yes) if in_many
                  else follow(bus, database, log.workspace_id, log.topic, 0, is_last, yes))
        self.task = asyncio.create_task(self._read(stream))

    async def _read(self, stream: AsyncGenerator[str]) -> None:
        async with aclosing(stream):
            async for frames in stream:
                for number, event in frames_of(frames):
                    self._take(number, event)

    def _take(self, number: str, event: dict[str, object]) -> None:
        kind, data = str(event["type"]), orjson.loads(orjson.dumps(event["data"]))
        self.types.append(kind)
        if kind not in {"piece", "whole"}:
            self.seqs.append(int(str(event["seq"])))
            return
        assert (number, event["seq"], data["order"], data["turn"]) == ("", 0, 1, 1)
        self.text = data["text"] if kind == "whole" else self.text + data["text"]
        self.reasoning = data.get("reasoning", "") if kind == "whole" else self.reasoning + data.get("reasoning", "")

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture(params=["here", "elsewhere"])
async def pair(processes: Processes, request: pytest.FixtureRequest) -> tuple[Process, Process]:
    """The process that writes and the one that reads: the same, or two."""
    writer = await processes.start()
    if request.param == "here":
        return writer, writer
    reader = await processes.start()
    await until(lambda: writer.lease.others > 0 and reader.lease.others > 0)
    await until(lambda: writer.bus.is_listening and reader.bus.is_listening)
    return writer, reader


async def test_a_reader_sees_a_text_grow_and_the_rest_before_the_fact_that_ends_it(
    pair: tuple[Process, Process], log: Log
) -> None:
    writer, reader = pair
    await log.append(2)
    reading = Reading(reader, log)
    await until(lambda: reading.seqs == [1, 2])
    text = begun(writer, log)
    for number in range(200):
        writer.bus.texts.add(text, f"word{number} ")
        writer.bus.texts.add(text, "hm ", is_reasoning=True)
        if number == 99:
            await until(lambda: reading.text.endswith("word99 "))

    facts = await log.append(1)
    writer.bus.texts.end(text, log.last, is_whole=True)
    writer.bus.publish(log.workspace_id, facts)
    writer.bus.publish(log.workspace_id, await log.append(1, type_="execution.completed"))
    await reading.task

    whole = "".join(f"word{number} " for number in range(200))
    assert reading.seqs == [1, 2, 3, 4]
    assert whole.startswith(reading.text)
    assert reading.text == whole or writer is not reader
    assert "whole" not in reading.types
    assert "hm hm " in reading.reasoning
    assert reading.types[-2:] == ["step.delta", "execution.completed"]


@pytest.mark.parametrize("in_many", [False, True], ids=["one stream", "several"])
async def test_a_reader_who_comes_late_gets_all_there_is_at_once_although_nothing_more_is_written(
    pair: tuple[Process, Process], log: Log, in_many: bool
) -> None:
    writer, reader = pair
    await log.append(2)
    text = begun(writer, log)
    written = "\u00e4\U0001f600\x01 " * 2_000
    writer.bus.texts.add(text, "thinking", is_reasoning=True)
    writer.bus.texts.add(text, written)
    await until(lambda: text.is_told and text.sent == text.size)

    first, second = Reading(reader, log, in_many=in_many), Reading(reader, log)
    await until(lambda: first.text == second.text == written)

    assert first.types[:3] == ["step.delta", "step.delta", "whole"]
    assert first.reasoning == "thinking"
    writer.bus.texts.add(text, "more")
    await until(lambda: first.text == second.text == written + "more")
    await first.end()
    await second.end()


async def test_a_hole_between_processes_is_filled_with_the_whole(
    processes: Processes, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, reader = await processes.start(), await processes.start()
    await until(lambda: writer.lease.others > 0 and reader.lease.others > 0)
    await log.append(1)
    reading = Reading(reader, log)
    text = begun(writer, log)
    writer.bus.texts.add(text, "one ")
    await until(lambda: reading.text == "one ")

    receive = reader.bus.texts.on_text
    monkeypatch.setitem(reader.bus._listeners, texts_module.WORD_TEXT, lambda _: None)  # pyright: ignore[reportPrivateUsage]
    writer.bus.texts.add(text, "two ")
    await until(lambda: text.sent == (8, 0))
    await asyncio.sleep(0.1)
    monkeypatch.setitem(reader.bus._listeners, texts_module.WORD_TEXT, receive)  # pyright: ignore[reportPrivateUsage]
    writer.bus.texts.add(text, "three")

    await until(lambda: reading.text == "one two three")
    await reading.end()


async def test_a_process_that_comes_later_than_the_reader_is_asked_for_its_texts(
    processes: Processes, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automatos.durable.stream.PERMISSION_S", 1e9)  # when readers ask again by themselves
    reader = await processes.start()
    await log.append(1)
    reading = Reading(reader, log)
    await until(lambda: reading.seqs == [1])

    writer = await processes.start()
    text = begun(writer, log)
    writer.bus.texts.add(text, "from elsewhere")

    await until(lambda: reading.text == "from elsewhere")
    await reading.end()


async def test_a_text_that_begins_anew_takes_the_place_of_the_one_before(
    pair: tuple[Process, Process], log: Log
) -> None:
    writer, reader = pair
    await log.append(1)
    reading = Reading(reader, log)
    await until(lambda: reading.seqs == [1])
    first = begun(writer, log)
    writer.bus.texts.add(first, "half of it")
    await until(lambda: reading.text == "half of it")

    second = begun(writer, log)
    writer.bus.texts.add(second, "another")

    await until(lambda: reading.text == "another")
    assert reading.types[-1] == "whole"
    await reading.end()


async def test_text_waits_for_the_fact_it_follows(processes: Processes, log: Log) -> None:
    process = await processes.start()
    await log.append(1)
    reading = Reading(process, log)
    await until(lambda: reading.seqs == [1])
    text = process.bus.texts.begin((log.workspace_id, log.topic), ANSWER, 2)
    process.bus.texts.add(text, "early")
    await until(lambda: text.is_told)
    await asyncio.sleep(0.05)
    assert reading.text == ""

    process.bus.publish(log.workspace_id, await log.append(1))

    await until(lambda: reading.text == "early")
    assert reading.types == ["step.delta", "step.delta", "piece"]
    await reading.end()


async def test_a_text_is_kept_as_long_as_it_is_written_and_no_longer(processes: Processes, log: Log) -> None:
    process = await processes.start()
    texts = process.bus.texts
    text = begun(process, log)
    texts.add(text, "something")
    await until(lambda: text.is_told)
    texts.end(text, None)

    reading = Reading(process, log)
    await log.append(1)
    process.bus.publish(log.workspace_id, await log.append(1, type_="execution.completed"))
    await reading.task

    assert reading.text == ""
    assert texts.count == 0


async def test_nobody_is_sent_what_nobody_reads(processes: Processes, log: Log) -> None:
    writer, other = await processes.start(), await processes.start()
    await until(lambda: writer.lease.others > 0 and other.lease.others > 0)
    sent: list[str] = []
    writer.bus._queue = lambda channel, message: sent.append(message)  # type: ignore[method-assign] # pyright: ignore
    text = begun(writer, log)
    writer.bus.texts.add(text, "unread")
    await until(lambda: text.is_told)

    assert sent == []


async def test_one_notice_carries_what_is_new_of_many_texts(
    processes: Processes, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, reader = await processes.start(), await processes.start()
    await until(lambda: writer.lease.others > 0 and reader.lease.others > 0)
    logs = [Log(log.database, log.workspace_id) for _ in range(8)]
    for each in logs:
        await each.append(1)
    readings = [Reading(reader, each) for each in logs]
    await until(lambda: all(reading.seqs for reading in readings))
    notices: list[str] = []
    real = writer.bus._notify  # pyright: ignore[reportPrivateUsage]

    async def noted(channel: str, messages: list[str]) -> None:
        notices.append(channel)
        await real(channel, messages)

    monkeypatch.setattr(writer.bus, "_notify", noted)
    await asyncio.sleep(0.3)
    notices.clear()
    written = [begun(writer, each) for each in logs]
    for text in written:
        writer.bus.texts.add(text, "new ")
    await until(lambda: all(reading.text == "new " for reading in readings))

    assert len(notices) == 1
    for reading in readings:
        await reading.end()
