"""Batches are written in order, a failing workspace delays no other, and what waits is bounded."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from automatos.kernel import batches
from automatos.kernel.batches import BatchWriter
from tests.durable.conftest import until

GOOD, BAD = UUID(int=1), UUID(int=2)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(batches, "LONGEST_PAUSE_S", 0.002)


@dataclass
class Book:
    """Where batches are written; the writes of one workspace fail so many times."""

    failures: int = 0
    written: list[tuple[UUID, list[int]]] = field(default_factory=list)

    async def write(self, workspace_id: UUID, items: Sequence[int]) -> None:
        if workspace_id == BAD and self.failures:
            self.failures -= 1
            raise OSError("away")
        self.written.append((workspace_id, list(items)))


async def test_items_are_written_together_by_workspace_in_the_order_they_came() -> None:
    book = Book()
    writer = BatchWriter("things", book.write, every_s=0.01)
    for number in range(3):
        writer.add(GOOD, number)
        writer.add(BAD, number + 10)

    await writer.flush()

    assert book.written == [(GOOD, [0, 1, 2]), (BAD, [10, 11, 12])]


async def test_a_write_that_fails_is_tried_again_in_order_while_others_go_on() -> None:
    book = Book(failures=3)
    writer = BatchWriter("things", book.write, every_s=0.001)
    writer.add(BAD, 1)
    writer.add(GOOD, 2)
    writer.add(BAD, 3)

    await writer.close()

    assert book.written == [(GOOD, [2]), (BAD, [1, 3])]


async def test_what_can_never_be_written_is_given_up_and_what_follows_is_not() -> None:
    book = Book(failures=batches.MAX_TRIES)
    writer = BatchWriter("things", book.write, every_s=0.001)
    writer.add(BAD, 1)
    await writer.flush()
    writer.add(BAD, 2)
    await writer.flush()

    assert book.written == [(BAD, [2])]


async def test_no_more_wait_than_memory_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_WAITING", 2)
    book = Book()
    writer = BatchWriter("things", book.write, every_s=0.001)
    for number in range(5):
        writer.add(GOOD, number)
    await writer.flush()
    writer.add(GOOD, 9)
    await writer.flush()

    assert book.written == [(GOOD, [0, 1]), (GOOD, [9])]


async def test_large_batches_are_written_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_BATCH", 2)
    book = Book()
    writer = BatchWriter("things", book.write, every_s=0.001)
    for number in range(5):
        writer.add(GOOD, number)
    await writer.close()

    assert book.written == [(GOOD, [0, 1]), (GOOD, [2, 3]), (GOOD, [4])]


async def test_closing_what_never_had_anything_to_write_is_no_fault() -> None:
    await BatchWriter("things", Book().write, every_s=1).close()


async def test_what_cannot_wait_takes_along_what_could() -> None:
    book = Book()
    writer = BatchWriter("things", book.write, every_s=3600)
    writer.add(GOOD, 1)
    writer.add(BAD, 2)
    await asyncio.sleep(0)
    writer.add(GOOD, 3, within_s=0.001)
    await until(lambda: len(book.written) == 2)

    assert book.written == [(GOOD, [1, 3]), (BAD, [2])]
    assert await asyncio.wait_for(writer.close(), 60) is None


@pytest.mark.parametrize("end", ["flush", "close"])
async def test_whoever_waits_for_the_writer_does_not_wait_for_the_next_batch(end: str) -> None:
    book = Book()
    writer = BatchWriter("things", book.write, every_s=3600)
    writer.add(GOOD, 1)

    await asyncio.wait_for(getattr(writer, end)(), 60)

    assert book.written == [(GOOD, [1])]


async def test_more_than_a_batch_is_written_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_BATCH", 2)
    book = Book()
    writer = BatchWriter("things", book.write, every_s=3600)
    for number in range(7):
        writer.add(GOOD, number)
    writer.add(GOOD, 7, within_s=0)
    await until(lambda: len(book.written) == 4)

    assert [items for _, items in book.written] == [[0, 1], [2, 3], [4, 5], [6, 7]]
