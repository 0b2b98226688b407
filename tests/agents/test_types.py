"""Types, categories and tags, as people and clients know them."""

import pytest

from automatos.agents.configuration import normal_tags
from automatos.agents.types import AgentType, Category, category_of, type_of
from tests.agents.conftest import AgentDeps


@pytest.mark.capability("S006")
@pytest.mark.capability("S004")
async def test_types_and_categories_are_served(desk: AgentDeps) -> None:
    told = (await desk.ask("GET", "/types")).json()

    assert told["data"] == ["code_architect", "security_expert", "performance_optimizer", "data_analyst",
                            "infrastructure_manager", "custom", "system", "specialized"]
    assert set(told["descriptions"]) == set(told["type_categories"]) == set(told["data"])
    assert [category["name"] for category in told["categories"]] == [
        "Personal Assistant", "Customer Support", "DevOps", "Social Media", "Accounting", "E-commerce",
        "Content Creation", "HR", "Data Analysis", "Custom"]
    stored = await desk.create("Ada", marketplace_category="Social Media")
    assert (stored["marketplace_category"], stored["agent_type"]) == ("Social Media", "custom")


@pytest.mark.capability("S003")
@pytest.mark.parametrize("agent_type", list(AgentType))
async def test_each_of_the_eight_types_is_accepted(desk: AgentDeps, agent_type: AgentType) -> None:
    assert (await desk.create("Ada", agent_type=agent_type))["agent_type"] == agent_type


@pytest.mark.capability("S005")
async def test_a_specialised_type_survives_a_generic_category(desk: AgentDeps) -> None:
    agent = await desk.create("Ada", agent_type="security_expert")

    async def choose(category: str) -> tuple[str, str]:
        changed = (await desk.ask("PUT", f"/{agent['id']}", json={"marketplace_category": category})).json()
        return changed["marketplace_category"], changed["agent_type"]

    assert agent["marketplace_category"] == "Custom"
    assert await choose("Custom") == ("Custom", "security_expert")
    assert await choose("HR") == ("HR", "security_expert")
    assert await choose("Data Analysis") == ("Data Analysis", "data_analyst")
    assert (await desk.create("Bob", marketplace_category="DevOps"))["agent_type"] == "infrastructure_manager"


@pytest.mark.capability("S005")
@pytest.mark.parametrize("agent_type", list(AgentType))
@pytest.mark.parametrize("category", [None, "DevOps", "Accounting"])
async def test_saving_the_category_an_agent_is_shown_under_changes_nothing(
    desk: AgentDeps, agent_type: AgentType, category: str | None
) -> None:
    agent = await desk.create("Ada", agent_type=agent_type, marketplace_category=category)
    saved = await desk.ask("PUT", f"/{agent['id']}", json={"marketplace_category": agent["marketplace_category"]})
    assert saved.json() == agent
    assert agent["marketplace_category"] == category or category is None


@pytest.mark.capability("S005")
@pytest.mark.parametrize("agent_type", list(AgentType))
async def test_a_category_that_was_never_stored_keeps_the_type_it_is_shown_for(
    desk: AgentDeps, agent_type: AgentType
) -> None:
    agent = await desk.create("Ada", agent_type=agent_type)
    async with desk.database.recording(desk.workspace_id) as connection:
        await connection.execute("UPDATE agents SET marketplace_category = NULL WHERE id = $1", agent["id"])
    shown = (await desk.ask("GET", "/types")).json()["type_categories"][agent_type]
    saved = await desk.ask("PUT", f"/{agent['id']}", json={"marketplace_category": shown})
    assert (saved.json()["marketplace_category"], saved.json()["agent_type"]) == (shown, agent_type)


@pytest.mark.capability("S005")
@pytest.mark.parametrize("agent_type", list(AgentType))
async def test_an_exported_agent_comes_back_as_the_same_type(desk: AgentDeps, agent_type: AgentType) -> None:
    agent = await desk.create("Ada", agent_type=agent_type, marketplace_category="HR")
    written = (await desk.ask("GET", f"/{agent['id']}/export")).text.replace("Ada", "Bob")
    taken = await desk.ask("POST", "/import", json={"yaml": written})
    assert taken.status_code == 200, taken.text
    again = next(one for one in (await desk.ask("GET")).json()["items"] if one["name"] == "Bob")
    assert (again["agent_type"], again["marketplace_category"]) == (agent_type, "HR")


def test_the_mapping_covers_both_ways() -> None:
    assert {type_of(category) for category in Category} <= set(AgentType)
    assert {category_of(agent_type) for agent_type in AgentType} <= set(Category)
    assert type_of(Category.DEVOPS) is AgentType.INFRASTRUCTURE_MANAGER
    assert type_of(Category.DATA_ANALYSIS) is AgentType.DATA_ANALYST
    assert category_of(AgentType.DATA_ANALYST) is Category.DATA_ANALYSIS


@pytest.mark.capability("S007")
@pytest.mark.parametrize(("given", "kept"), [
    ("a, B ,a,, b", ["a", "b"]), (["x,y", " X ", "z"], ["x", "y", "z"]), (("One", "two"), ["one", "two"]),
    ({"solo"}, ["solo"]), ("", []), ([], []), (" , ", []),
])
def test_tags_become_one_list(given: object, kept: list[str]) -> None:
    assert normal_tags(given) == kept


@pytest.mark.parametrize("given", [5, None, {"a": 1}, [1], ["a", None], b"a"])
def test_what_is_no_tag_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="tag"):
        normal_tags(given)
