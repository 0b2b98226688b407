"""The page of capabilities says what is so."""

import ast

from tests.capabilities import PAGE, Mark, Marked, Proof, is_never_run, marks, page, proofs, rooms

NOT_BUILT_YET = {
    *(f"S{number:03}" for number in [*range(63, 92), 112, 113, 115, 116, 117, *range(131, 139), *range(142, 151)]),
    *(f"S{number:03}" for number in [172, 192, 193, 194, *range(196, 207), *range(208, 212), *range(214, 220)]),
}
"""What nothing proves so far; a package that brings one of them takes it off here."""


def test_the_list_is_whole_and_what_is_open_is_known_to_be_open() -> None:
    names = [name for texts in rooms().values() for name in texts]
    assert sorted(names) == [f"S{number:03}" for number in range(1, 221)]
    assert set(names) - set(proofs()) == NOT_BUILT_YET


def test_a_mark_may_say_what_is_missing_and_a_test_that_never_runs_proves_nothing() -> None:
    tree = ast.parse('''
@pytest.mark.capability("S001", "S002")
@pytest.mark.capability("S003", partly="The other half.")
async def test_some(): ...

@pytest.mark.capability("S004")
@pytest.mark.skip(reason="later")
def test_never(): ...

@pytest.mark.capability("S005")
@pytest.mark.skipif(True, reason="here")
def test_sometimes(): ...
''')
    some, never, sometimes = (node for node in tree.body if isinstance(node, Marked))
    assert list(marks(some.decorator_list)) == [Mark("S001"), Mark("S002"), Mark("S003", "The other half.")]
    assert [is_never_run(node) for node in (some, never, sometimes)] == [False, True, False]
    assert Proof(["a"], ["The other half."]).state == "partly: The other half."
    assert (Proof(["a"]).state, Proof().state) == ("proved", "open")


def test_every_mark_names_a_capability() -> None:
    known = {name for texts in rooms().values() for name in texts}
    assert {name: tests for name, tests in proofs().items() if name not in known} == {}


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.capabilities"
