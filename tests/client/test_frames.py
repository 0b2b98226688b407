"""Server-sent events out of bytes, however they are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automatos.client.frames import Frame, FrameReader

TEXTS = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), min_size=1)


def read(*pieces: bytes) -> list[Frame]:
    reader = FrameReader()
    return [frame for piece in pieces for frame in reader.take(piece)]


@given(st.lists(st.tuples(st.sampled_from(["delta", "done"]), TEXTS), max_size=5), st.sampled_from(["\n", "\r\n"]),
       st.integers(1, 9))
def test_events_are_whole_however_the_bytes_are_cut(told: list[tuple[str, str]], end: str, size: int) -> None:
    whole = "".join(f": still here{end}{end}event: {name}{end}data: {text}{end}{end}" for name, text in told).encode()
    expected = [Frame(name, text) for name, text in told]

    assert read(whole) == expected
    assert read(*(whole[at:at + size] for at in range(0, len(whole), size))) == expected


@pytest.mark.parametrize(("text", "frames"), [
    ("data: a\ndata: b\n\n", [Frame("", "a\nb")]),
    ("data:no space\n\n", [Frame("", "no space")]),
    ("id: 4\nretry: 10\n\n", []),
    ("event: lost\n\ndata: a\n\n", [Frame("", "a")]),
    ("data: unfinished\n", []),
    ("data:  two spaces\n\n", [Frame("", " two spaces")]),
])
def test_lines_are_read_as_the_standard_says(text: str, frames: list[Frame]) -> None:
    assert read(text.encode()) == frames
