"""Conditions: what can be written, what is refused when it is saved, and what an answer needs."""

import threading

import pytest

from automatos.runs.conditions import MAX_CHARS, compile_condition
from automatos.runs.errors import ConditionFailed, ConditionInvalid

VALUES = {
    "input": {"tags": ["urgent", "new"], "count": 3, "share": 0.5, "name": "Ada", "empty": None, "steps": 1},
    "steps": {"draft": {"status": "completed", "output": "don't"}, "my-step": {"status": "failed", "output": None},
              "score": {"status": "completed", "output": {"value": 7}}},
    "item": {"id": 4}, "index": 2,
}


@pytest.mark.parametrize(("source", "answer"), [
    ('"urgent" in input.tags', True),
    ("input.count > 2 && input.share < 0.75", True),
    ("input.count > 2.5", True),
    ("input.count * 2 - 1 == 5", True),
    ("size(input.tags) == 3", False),
    ('input.name.startsWith("A") && !input.name.endsWith("b")', True),
    ("input.empty == null", True),
    ("has(input.absent)", False),
    ("has(input.absent) ? input.absent : true", True),
    ('steps.draft.output.contains("n\'t")', True),
    ("steps . draft . output == 'don\\'t'", True),
    ('steps["my-step"].status == "failed"', True),
    ("steps [ 'my-step' ].output == null", True),
    ("steps.score.output.value >= 7", True),
    ("int(\"7\") == steps.score.output.value", True),
    ("item.id == 4 && index == 2", True),
    ("input.steps == 1", True),
    ('input.name == "the steps of // r\'a\'"', False),
    ("true", True),
])
def test_a_condition_says_yes_or_no(source: str, answer: bool) -> None:
    assert compile_condition(source).holds(VALUES) is answer


@pytest.mark.parametrize(("source", "why"), [
    ("", "cannot be read at line 1, column 1: mismatched input '<EOF>'"),
    ("input.a =", "line 1, column 9: token recognition error at: '='"),
    ('"a\ud800" == input.a', "cannot be read as CEL"),
    ("(" * 200 + "true" + ")" * 200, "brackets stand too deep in each other"),
    ("a" * (MAX_CHARS + 1), "has 501 characters; a condition has at most 500"),
    ("draft.output == 1", "'draft' is unknown; there are `input.NAME`"),
    ("input.list.exists(x, x > 1)", "no loops"),
    ("input.list.exists(input, input > 1)", "no loops"),
    ("input.list.all(item, true)", "no loops"),
    ("size(input.list.map(item, item)) > 1", "no loops"),
    ("size(input.list.filter(item, true)) > 1", "no loops"),
    ("input.list.exists_one(item, true)", "no loops"),
    ("true ? true : [{1: input.l.map(item, item)}][0] == 1", "no loops"),
    ("input.a + input.b == 2", "no `+`"),
    ('input.a.matches("(a+)+$")', "'matches' is no function of conditions; there are contains, double"),
    ("timestamp(input.a) == 1", "'timestamp' is no function"),
    ("steps[input.key].output == 1", "`steps` is read by a key that is written out"),
    ("steps == input.a", "`steps` is read by a key that is written out"),
    ("steps", "`steps` is read by a key that is written out"),
    ("steps.", "`steps` is read by a key that is written out"),
    ('steps["a\\"b"].output == 1', "`steps` is read by a key that is written out"),
    ("r'a' == input.a", "plain quotes"),
    ('"""a""" == input.a', "plain quotes"),
    ("true // no more", "comments"),
])
def test_what_cannot_be_a_condition_is_refused(source: str, why: str) -> None:
    with pytest.raises(ConditionInvalid) as refused:
        compile_condition(source)
    assert why in str(refused.value)


@pytest.mark.parametrize(("source", "why"), [
    ("input.absent == 1", "there is no 'absent' in what it reads; ask for it with `has(...)` first"),
    ("input.count", "gave a int. Compare it with something"),
    ('input.count < "a"', "No such overload"),
    ("input.count / 0 == 1", "division by zero"),
    ("int(input.name) == 1", "invalid digit"),
    ("input.tags[9] == 1", "out of bounds"),
    ("input.count && true", "No such overload"),
])
def test_a_condition_without_an_answer_says_why(source: str, why: str) -> None:
    with pytest.raises(ConditionFailed) as failed:
        compile_condition(source).holds(VALUES)
    assert why in str(failed.value)
    assert source in str(failed.value)


def test_a_condition_names_what_it_reads() -> None:
    condition = compile_condition('steps.a.output == "steps.b" && steps["c-d"].output == input.steps.e')
    assert condition.reads == {"a", "c-d"}
    assert condition.names == {"steps", "input"}
    assert compile_condition('steps.a.output == "steps.b" && steps["c-d"].output == input.steps.e') is condition


def test_the_deepest_condition_fits_into_a_small_stack() -> None:
    """The library calls itself for each level; here a level is a point and a letter, the shortest there is."""
    chain = "input" + ".a" * ((MAX_CHARS - len("input == 1")) // 2) + " == 1"
    found = list[str]()

    def ask() -> None:
        with pytest.raises(ConditionFailed):
            compile_condition(chain).holds({"input": {"a": 1}})
        found.append("asked")

    usual = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(usual)
    assert found == ["asked"]
