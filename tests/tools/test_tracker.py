"""The tracker skips calls that would only go in circles, and says which and why."""

import pytest

from automatos.tools.tracker import ToolTracker, are_similar


@pytest.mark.capability("S118")
def test_the_same_call_with_the_same_arguments_is_skipped_whatever_their_order() -> None:
    tracker = ToolTracker()
    tracker.record("research", {"url": "https://example.org", "depth": {"a": 1, "b": 2}})

    reason = tracker.reason_to_skip("research", {"depth": {"b": 2, "a": 1}, "url": "https://example.org"})

    assert reason is not None
    assert "research" in reason
    assert "exactly these arguments" in reason
    assert tracker.reason_to_skip("research", {"url": "https://example.com"}) is None
    assert tracker.reason_to_skip("http_fetch", {"url": "https://example.org", "depth": {"a": 1, "b": 2}}) is None


@pytest.mark.capability("S119")
@pytest.mark.parametrize("field", ["query", "search_query", "q", "text", "question", "prompt"])
def test_a_search_for_nearly_the_same_is_skipped(field: str) -> None:
    tracker = ToolTracker()
    tracker.record("semantic_search", {field: "How does the billing service work?"})

    reason = tracker.reason_to_skip("semantic_search", {field: "how does the BILLING service works", "top_k": 3})

    assert reason is not None
    assert "semantic_search" in reason
    assert "similar" in reason
    assert tracker.reason_to_skip("semantic_search", {field: "deployment runbook for staging"}) is None
    assert tracker.reason_to_skip("search_tables", {field: "How does the billing service work"}) is None


def test_only_searches_are_compared_by_similarity() -> None:
    tracker = ToolTracker()
    tracker.record("calculator", {"text": "1 + 1 + 1 + 1"})
    assert tracker.reason_to_skip("calculator", {"text": "1 + 1 + 1 + 2"}) is None


@pytest.mark.capability("S120")
@pytest.mark.parametrize(("name", "limit"), [
    ("composio_execute", 2), ("search_knowledge", 2), ("semantic_search", 2), ("search_codebase", 2),
    ("smart_query_database", 2), ("query_database", 2), ("list_directory", 2), ("read_file", 3), ("write_file", 2),
    ("anything_else", 3),
])
def test_each_tool_has_its_limit(name: str, limit: int) -> None:
    tracker = ToolTracker()
    for turn in range(limit):
        assert tracker.reason_to_skip(name, {"n": turn}) is None
        tracker.record(name, {"n": turn})

    reason = tracker.reason_to_skip(name, {"n": limit})

    assert reason is not None
    assert name in reason
    assert f"{limit} times" in reason


def test_the_limit_is_named_before_the_repeat() -> None:
    calls = [("write_file", {"path": "a"}), ("write_file", {"path": "b"})]
    reason = ToolTracker.from_calls(calls).reason_to_skip("write_file", {"path": "a"})
    assert reason is not None
    assert "2 times" in reason


def test_a_tracker_built_from_recorded_calls_decides_the_same() -> None:
    live, calls = ToolTracker(), [("read_file", {"path": "a"}), ("search_tables", {"q": "orders by month"})]
    for name, arguments in calls:
        live.record(name, arguments)
    rebuilt = ToolTracker.from_calls(calls)
    for name, arguments in [*calls, ("search_tables", {"q": "orders by months"}), ("read_file", {"path": "b"})]:
        assert live.reason_to_skip(name, arguments) == rebuilt.reason_to_skip(name, arguments)


@pytest.mark.parametrize(("one", "other", "alike"), [
    ("", "", False), ("...", "!!!", False), ("a", "", False), ("Hello,  World!", "hello world", True),
    ("abcd", "abce", True), ("abcd", "abxy", False),
])
def test_similarity(one: str, other: str, alike: bool) -> None:
    assert are_similar(one, other) is alike
