"""The list of agents: orders, cursors, filters, and the same few statements however long it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from tests.agents.conftest import AgentDeps

SORTS = ["name", "created_at", "updated_at", "status", "last_active_at", "total_cost", "success_rate"]


@contextmanager
def counting(desk: AgentDeps) -> Iterator[list[str]]:
    """Collect the statements that the application's sessions send."""
    sent: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    engine = desk.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.capability("S170")
@pytest.mark.capability("S022")
async def test_fifty_agents_take_as_many_statements_as_five(desk: AgentDeps) -> None:
    skills = [await desk.skill(f"skill-{number}") for number in range(3)]
    persona = await desk.persona("helper")
    for start, count in ((0, 5), (5, 45)):
        made = await desk.ask("POST", "/bulk", json={"agents": [
            {"name": f"A{number}", "skill_ids": skills, "persona_id": persona, "tools": ["calculator"]}
            for number in range(start, start + count)]})
        assert made.status_code == 201, made.text
        with counting(desk) as sent:
            listed = (await desk.ask("GET")).json()
        assert listed["total"] == start + count
        assert all(len(agent["skills"]) == 3 and agent["persona"]["slug"] == "helper" for agent in listed["items"])
        if not start:
            few = len(sent)
    assert len(sent) == few <= 5


@pytest.fixture
async def crowd(desk: AgentDeps) -> AgentDeps:
    """Nine agents that share and differ in everything that a list can be sorted by."""
    for number, name in enumerate(["Ida", "ada", "Bob", "eve", "Dan", "cleo", "Fay", "gus", "Hal"]):
        agent = await desk.create(name)
        async with desk.database.recording(desk.workspace_id) as connection:
            await connection.execute(
                "UPDATE agents SET status = $2,"
                " last_active_at = CASE WHEN $3 % 3 > 0 THEN now() - $3 % 4 * interval '1 h' END,"
                " model_usage_stats = model_usage_stats || jsonb_build_object('total_cost', ($3 % 4)::text),"
                " performance_metrics = CASE WHEN $3 % 2 > 0 THEN jsonb_build_object('success_rate', $3 / 10.0)"
                " ELSE '{}' END WHERE id = $1",
                agent["id"], ["active", "inactive", "paused"][number % 3], number)
    return desk


async def listed(desk: AgentDeps, **params: Any) -> dict[str, Any]:
    answer = await desk.ask("GET", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("sort", [None, *SORTS])
async def test_every_order_pages_by_cursor_without_gap_or_repeat(crowd: AgentDeps, sort: str | None) -> None:
    for order in ("asc", "desc"):
        chosen = {"order": order} | ({"sort": sort} if sort else {})
        whole = [agent["id"] for agent in (await listed(crowd, **chosen))["items"]]
        assert len(set(whole)) == 9
        paged: list[int] = []
        cursor: str | None = None
        for _ in range(5):
            page = await listed(crowd, **chosen, limit=2, **({"cursor": cursor} if cursor else {}))
            assert page["total"] == 9
            paged += [agent["id"] for agent in page["items"]]
            cursor = page["next_cursor"]
        assert cursor is None
        assert paged == whole


async def test_orders_mean_what_they_say(crowd: AgentDeps) -> None:
    def names(page: dict[str, Any]) -> list[str]:
        return [agent["name"] for agent in page["items"]]

    assert names(await listed(crowd)) == ["Ida", "ada", "Bob", "eve", "Dan", "cleo", "Fay", "gus", "Hal"]
    assert names(await listed(crowd, sort="name"))[:3] == ["ada", "Bob", "cleo"]
    assert names(await listed(crowd, sort="name", order="desc"))[0] == "Ida"
    costs = [agent["model_usage_stats"]["total_cost"]
             for agent in (await listed(crowd, sort="total_cost", order="desc"))["items"]]
    assert costs == sorted(costs, reverse=True)
    rates = [agent["performance_metrics"]["success_rate"]
             for agent in (await listed(crowd, sort="success_rate"))["items"]]
    assert rates == [None] * 5 + [0.1, 0.3, 0.5, 0.7]


async def test_a_cursor_survives_what_others_change_meanwhile(crowd: AgentDeps) -> None:
    first = await listed(crowd, sort="name", limit=4)
    gone = first["items"][0]["id"]
    assert (await crowd.ask("DELETE", f"/{gone}")).status_code in {204, 409}
    await crowd.create("Aaron")
    rest = await listed(crowd, sort="name", limit=10, cursor=first["next_cursor"])
    assert [agent["name"] for agent in rest["items"]] == ["eve", "Fay", "gus", "Hal", "Ida"]


@pytest.mark.parametrize(
    "cursor", ["x", "!!!", "W10", "bnVsbA", "WzEsMiwzXQ", "%00", "é", "W251bGwsZmFsc2UsIjAiLDFd" * 5])
async def test_a_made_up_cursor_is_refused(desk: AgentDeps, cursor: str) -> None:
    answer = await desk.ask("GET", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "cursor_unreadable")


async def test_a_cursor_of_another_order_is_refused(crowd: AgentDeps) -> None:
    cursor = (await listed(crowd, sort="name", limit=2))["next_cursor"]
    for wrong in ({"sort": "name", "order": "desc"}, {"sort": "status"}, {"sort": "created_at"}, {}):
        answer = await crowd.ask("GET", params={"cursor": cursor, **wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "cursor_unreadable")


@pytest.mark.capability("S013")
async def test_category_and_tag_narrow_the_list(desk: AgentDeps) -> None:
    await desk.create("Ada", tags=["web", "api"], marketplace_category="HR")
    await desk.create("Bob", tags=["web"])

    async def names(**params: str) -> list[str]:
        return [agent["name"] for agent in (await listed(desk, **params))["items"]]

    assert await names(tag="web") == ["Ada", "Bob"]
    assert await names(tag=" API ") == ["Ada"]
    assert await names(tag="we") == []
    assert await names(category="HR") == ["Ada"]
    assert await names(category="HR", tag="web", search="ad") == ["Ada"]
    for wrong in ({"category": "Magic"}, {"tag": ""}, {"tag": "a\x00"}, {"sort": "id"}, {"order": "up"}):
        assert (await desk.ask("GET", params=wrong)).status_code == 422


@pytest.mark.capability("S017")
async def test_statistics_count_what_is_stored(desk: AgentDeps) -> None:
    empty = (await desk.ask("GET", "/stats")).json()
    assert (empty["total_agents"], empty["average_success_rate"], empty["total_executions"]) == (0, None, 0)

    for name, kind, active, done, cost in (("A", "custom", True, 4, "0.5"), ("B", "data_analyst", False, 2, "0.25"),
                                           ("C", "custom", False, 0, "0")):
        agent = await desk.create(name, agent_type=kind, activate=active)
        async with desk.database.recording(desk.workspace_id) as connection:
            await connection.execute(
                "UPDATE agents SET model_usage_stats = jsonb_build_object('total_cost', $2::text, 'total_tokens', 10),"
                " performance_metrics = CASE WHEN $3 > 0 THEN jsonb_build_object('total_tasks_executed', $3::int,"
                " 'success_count', $3 - 1, 'failure_count', 1, 'success_rate', ($3 - 1.0) / $3) ELSE '{}' END"
                " WHERE id = $1", agent["id"], cost, done)
    stats = (await desk.ask("GET", "/stats")).json()
    assert (stats["total_agents"], stats["active_agents"], stats["inactive_agents"]) == (3, 1, 2)
    assert stats["agents_by_status"] == {"active": 1, "inactive": 2}
    assert stats["agents_by_type"] == {"custom": 2, "data_analyst": 1}
    assert stats["agents_by_category"] == {"Custom": 2, "Data Analysis": 1}
    assert (stats["total_executions"], stats["successful_executions"], stats["failed_executions"]) == (6, 4, 2)
    assert (stats["average_success_rate"], stats["total_tokens"], stats["total_cost_usd"]) == (0.625, 30, "0.750000")
    assert (stats["tasks_running"], stats["tasks_queued"]) == (0, 0)
    assert (await desk.elsewhere(desk.workspace_id).ask("GET", "/stats")).json()["total_agents"] == 3
