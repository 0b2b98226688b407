"""Tables for a terminal: whatever its width, nothing is cut, and what people copy stays in one piece.

Texts with blanks take several lines where they must; what has none (an id, a slug, an address) is never broken. Where
that is not enough, columns are left out.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from unicodedata import combining, east_asian_width

GAP = 2
SHORT = 16
"""A text of so many characters takes one line; a time to the minute has as many."""
NARROWEST = 12
"""Characters that a longer text is given at least, before columns are left out."""
LONGEST_WORD = 24
"""Longer words are broken where they stand among others."""
SHARE = 0.6
"""How much of the terminal the first column takes at most; a longer name there takes a line of its own."""
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def draw(lines: Sequence[Mapping[str, str]], columns: Sequence[str], spare: Sequence[str], room: int) -> Iterator[str]:
    """Yield the lines of a table of texts, with a head, in a terminal of `room` characters.

    Where they do not all fit, columns are left out: those in `spare`, the first one first, then from the right.
    """
    heads = {column: column.replace("_", " ").upper() for column in columns}
    kept = _fitting(heads, lines, spare, room)
    bold = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    for row in _row(heads, kept):
        yield f"{BOLD}{row}{PLAIN}" if bold else row
    for line in lines:
        yield from _row(line, kept)


def _fitting(
    heads: Mapping[str, str], lines: Sequence[Mapping[str, str]], spare: Sequence[str], room: int
) -> dict[str, int]:
    """Return the columns there is room for with their widths."""
    kept = dict[str, int]()
    least = dict[str, int]()
    for column, head in heads.items():
        cells = [line[column] for line in lines]
        if column == next(iter(heads)):
            cells = [cell for cell in cells if " " in cell or width(cell) <= room * SHARE]
        kept[column] = max(map(width, (head, *cells)))
        least[column] = max(map(_least, (*head.split(), *cells)))
    for column in (*spare, *reversed([each for each in heads if each not in spare])):
        if _total(least) <= room or len(least) == 1:
            break
        if least.pop(column, None) is not None:
            del kept[column]
    while (over := _total(kept) - room) > 0:
        column = max(kept, key=lambda each: kept[each] - least[each])
        if kept[column] == least[column]:
            break
        kept[column] -= min(kept[column] - least[column], max(over // 2, 1))
    return kept


def _least(cell: str) -> int:
    """Return how narrow a cell may become."""
    if " " not in cell or width(cell) <= SHORT:
        return width(cell)
    return max(NARROWEST, *(min(width(word), LONGEST_WORD) for word in cell.split()))


def _total(widths: Mapping[str, int]) -> int:
    return sum(widths.values()) + GAP * (len(widths) - 1)


def _row(cells: Mapping[str, str], widths: Mapping[str, int]) -> Iterator[str]:
    """Yield the lines that a row takes."""
    wrapped = {column: _wrapped(cells[column], room) for column, room in widths.items()}
    first = next(iter(widths))
    if len(widths) > 1 and width(wrapped[first][0]) > widths[first]:
        yield wrapped[first][0]
        wrapped[first] = [""]
    for number in range(max(map(len, wrapped.values()))):
        pieces = [(lines[number] if number < len(lines) else "", widths[column]) for column, lines in wrapped.items()]
        yield (" " * GAP).join(piece + " " * (room - width(piece)) for piece, room in pieces).rstrip()


def _wrapped(text: str, room: int) -> list[str]:
    """Break a text at its blanks into lines of a width; what has no blank stays whole."""
    words = text.split(" ")
    lines = [""]
    for word in words if len(words) == 1 else (piece for each in words for piece in _pieces(each, room)):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if width(joined) <= room or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def _pieces(word: str, room: int) -> list[str]:
    most = len(word) if width(word) <= room else room if word.isascii() else max(room // 2, 1)
    return [word[start:start + most] for start in range(0, len(word), most)]


def width(text: str) -> int:
    """Return how many characters of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)
