"""Who takes work now, of agents as the database tells them."""

from typing import Any

import pytest

from automatos.agents.types import WORKING, AgentStates, AgentStatus


def states(status: str, *, is_stopping: bool = False) -> AgentStates:
    told: dict[str, Any] = {"7": {"name": "Ada", "status": status, "is_stopping": is_stopping}}
    return AgentStates(told)


@pytest.mark.parametrize("status", AgentStatus)
def test_an_agent_takes_work_in_the_statuses_for_it_and_no_other(status: AgentStatus) -> None:
    expected = [] if status in WORKING else [f"Ada ({status})"]
    assert states(status).list_unavailable([7]) == expected


def test_one_that_is_stopping_takes_none_whatever_its_status() -> None:
    assert states("active", is_stopping=True).list_unavailable([7]) == ["Ada (stopping)"]


def test_each_is_named_once_and_one_that_is_gone_by_its_id() -> None:
    assert states("inactive").list_unavailable([9, 7, 9, 7]) == ["agent 9 (deleted)", "Ada (inactive)"]
    assert states("inactive").names == {"7": "Ada"}
