"""The page of capabilities says what is so."""

from tests.capabilities import PAGE, page, proofs, rooms


def test_every_capability_has_a_proof() -> None:
    proved = proofs()
    assert [name for texts in rooms().values() for name in texts if name not in proved] == []


def test_every_mark_names_a_capability() -> None:
    known = {name for texts in rooms().values() for name in texts}
    assert {name: tests for name, tests in proofs().items() if name not in known} == {}


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.capabilities"
