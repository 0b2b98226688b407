"""YAML and JSON as people write them: JSON's types only, each fault with its place."""

import json
from typing import Any

import pytest

from automatos.kernel.documents import DocumentInvalid, read_documents, read_json


@pytest.mark.parametrize(("word", "value"), [
    ("2024-01-31", "2024-01-31"), ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"), ("no", "no"), ("Yes", "Yes"),
    ("off", "off"), ("012", "012"), ("0o17", "0o17"), ("0x1f", "0x1f"), ("1_000", "1_000"), ("12:30", "12:30"),
    ("1:30:00", "1:30:00"), (".inf", ".inf"), (".nan", ".nan"), ("+1", "+1"), (".5", ".5"), ("1e999", "1e999"),
    ("3", 3), ("-3", -3), ("0", 0), ("3.5", 3.5), ("1e3", 1000.0), ("true", True), ("FALSE", False), ("null", None),
    ("~", None), ("", None), ("'3'", "3"), ('"true"', "true"), ("!!str 3", "3"), ("!!int 3", 3), ("=", "="),
])
def test_a_word_is_what_json_makes_of_it(word: str, value: Any) -> None:
    (found,) = read_documents(f"a: {word}\n")
    assert found == {"a": value}
    assert type(found["a"]) is type(value)


@pytest.mark.parametrize(("text", "line", "column", "named"), [
    ("a: 1\nb: 2\na: 3", 3, 1, "first in line 1, column 1"), ("x:\n  {a: 1, a: 2}", 2, 10, "first in line 2, column 4"),
    ("a:\n\t- b", 2, 1, "a tab"), ("a: @x.md", 1, 4, "quotes"), ("a: !!timestamp 2024-01-01", 1, 4, "timestamp"),
    ("a: !!python/name:os.system x", 1, 4, "python"), ("a: !mine b", 1, 4, "!mine"), ("? [a]\n: b", 1, 3, "key"),
    ("a: !!int x", 1, 4, "int"), ("a: !!seq {}", 1, 4, "tag"), ("a: &x [*x]", 1, 4, "themselves"),
    ("a: 'b", 1, 6, "end"), ("- " + "[" * 40, 1, 34, "deeper"), ("a: b: c", 1, 5, "mapping"),
])
def test_a_fault_has_its_place(text: str, line: int, column: int, named: str) -> None:
    with pytest.raises(DocumentInvalid) as caught:
        read_documents(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert named in caught.value.problem


def test_what_aliases_repeat_is_bounded() -> None:
    assert read_documents("a: &a {b: 1, c: 2}\nd: *a\ne: {<<: *a, c: 3}\nf: {<<: [*a, {c: 9, g: 4}]}") == [
        {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 2}, "e": {"b": 1, "c": 3}, "f": {"b": 1, "c": 2, "g": 4}}]
    bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]\n" for n in range(1, 9))
    for text in (bomb, "a: &a " + "x" * 100_000 + "\nb: [" + "*a, " * 1_000 + "]"):
        with pytest.raises(DocumentInvalid, match="repeat"):
            read_documents(text)
    with pytest.raises(DocumentInvalid, match="aliases"):
        read_documents("a: &a 1\nb: *a", aliases=False)
    with pytest.raises(DocumentInvalid, match="<<"):
        read_documents("a: {<<: {b: 1}}", aliases=False)


def test_json_is_read_with_tabs_halves_of_characters_and_escapes() -> None:
    whole = {"a": "\U0001f600 / \\ud83d", "b": [1, 2.5, None, True], "c": {"no": "2024-01-31"}}
    assert read_json(json.dumps(whole, indent="\t").replace("/", "\\/")) == whole
    twice = "line 2, column 2: the key 'a' is given twice, first in line 1, column 2"
    for text, named in (('{"a": 1,\n\t"a": 2}', twice),
                        ('{"a": NaN}', "NaN"), ('{"a": 1,}', "line 1, column"), ("[" * 100_000, "nested")):
        with pytest.raises(DocumentInvalid) as caught:
            read_json(text)
        assert named in str(caught.value)
