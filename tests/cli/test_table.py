"""Tables fit the terminal they are drawn in, and what people copy from them is whole."""

import pytest

from automatos.cli.console import shown
from automatos.cli.table import draw, width

ID = "01a22cb8-1e9c-7000-ba64-027982785a13"
LONG = "A very long name that somebody gave to a thing in their workspace"
ADDRESS = "https://example.com/a/path/that/is/longer/than/any/terminal/should/need"


def drawn(rows: list[tuple[str, ...]], room: int, columns: str = "id name at", spare: str = "") -> list[str]:
    names = columns.split()
    return list(draw([dict(zip(names, row, strict=True)) for row in rows], names, spare.split(), room))


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.parametrize("room", [200, 100, 80, 72, 60, 40])
def test_no_line_is_wider_than_the_terminal_and_every_id_is_whole(room: int) -> None:
    lines = drawn([(ID, LONG, "2026-11-30 13:49"), ("7", "Scout", "-")], room)

    assert max(map(len, lines)) <= room
    assert [line for line in lines if ID in line]
    assert not [line for line in lines if line.endswith(" ")]


def test_texts_take_several_lines_at_their_blanks() -> None:
    assert drawn([("12", LONG, "2026-11-30 13:49")], 44) == [
        "ID  NAME                    AT",
        "12  A very long name that   2026-11-30 13:49",
        "    somebody gave to a",
        "    thing in their",
        "    workspace",
    ]


def test_columns_are_left_out_in_their_order_and_then_from_the_right() -> None:
    row = ("devops-architect", "DevOps Architect", "engineering", "workspace", "1234")
    columns = "slug name category scope tokens"

    heads = [drawn([row], room, columns, "scope tokens")[0].split() for room in (80, 60, 52, 40, 20)]

    assert heads == [
        ["SLUG", "NAME", "CATEGORY", "SCOPE", "TOKENS"], ["SLUG", "NAME", "CATEGORY", "TOKENS"],
        ["SLUG", "NAME", "CATEGORY"], ["SLUG", "NAME"], ["SLUG"]]


def test_a_name_that_is_too_long_for_its_column_takes_a_line_of_its_own_and_no_columns_from_others() -> None:
    lines = drawn([(ADDRESS[:50], "Scout", "-"), ("short", "Writer", "-")], 60)

    assert lines == ["ID     NAME    AT", ADDRESS[:50], "       Scout   -", "short  Writer  -"]


def test_a_long_word_within_a_text_is_broken_instead_of_the_table() -> None:
    assert drawn([("1", f"See {ADDRESS} for more", "2026-11-30 13:49")], 60) == [
        "ID  NAME                                    AT",
        "1   See                                     2026-11-30 13:49",
        f"    {ADDRESS[:38]}",
        f"    {ADDRESS[38:]} for",
        "    more",
    ]


def test_heads_are_broken_before_columns_are_left_out() -> None:
    assert drawn([("a", "-1", "-1")], 24, "slug max_agents max_workflows") == [
        "SLUG  MAX     MAX", "      AGENTS  WORKFLOWS", "a     -1      -1"]


def test_wide_characters_count_twice_and_combining_ones_not_at_all() -> None:
    assert (width("日本"), width("e\u0301"), width("abc")) == (4, 1, 3)
    first, second = drawn([("1", "日本", "x"), ("2", "ab", "y")], 60)[1:]
    assert first.index("x") + 2 == second.index("y")


def test_what_would_steer_a_terminal_is_shown_as_a_mark() -> None:
    assert shown("a\x1b[31mred\x07\tb\n c") == "a\ufffd[31mred\ufffd b c"
    assert shown(None) == shown([]) == "-"
