"""The library: what everybody sees, what only one workspace sees, and how the list is narrowed."""

from uuid import UUID

import pytest

from automatos.agents.types import AgentType, Category
from automatos.kernel.db import Database
from automatos.personas.types import agent_categories, agent_types
from tests.personas.conftest import Write
from tests.surface import Client

CATEGORIES = ["Engineering", "Marketing", "Sales", "Support"]


async def names(client: Client, query: str = "") -> list[str]:
    answer = await client.get(f"/api/personas?{query}")
    assert answer.status == 200, answer.body
    return [item["name"] for item in answer.json()["items"]]


@pytest.mark.capability("S054")
async def test_the_list_holds_whole_prompts_so_that_one_can_be_copied(client: Client) -> None:
    page = (await client.get("/api/personas?category=engineering&limit=2")).json()

    assert (page["total"], page["skip"], page["limit"]) == (4, 0, 2)
    assert page["categories"] == CATEGORIES
    first = page["items"][0]
    assert first == (await client.get(f"/api/personas/{first['id']}")).json()
    assert len(first["system_prompt"].split()) > 150
    assert first["token_estimate"] == -(-len(first["system_prompt"].encode()) // 4)
    assert (first["scope"], first["source"], first["workspace_id"]) == ("global", "seed", None)
    assert (first["agents_count"], first["is_active"], first["suggested_models"]) == (0, True, [])


@pytest.mark.capability("S052")
async def test_global_personas_are_everybodys_and_workspace_personas_only_their_own(
    client: Client, stranger: Client, write: Write
) -> None:
    own = await write("Pirate")

    assert (own["scope"], own["workspace_id"]) == ("workspace", str(client.workspace_id))
    assert await names(client, "scope=workspace") == ["Pirate"]
    assert len(await names(client, "scope=global")) == 16
    assert len(await names(client, "scope=all")) == len(await names(client)) == 17
    assert len(await names(stranger)) == 16
    assert await names(stranger, "scope=workspace") == []
    absent = await stranger.get(f"/api/personas/{own['id']}")
    assert (absent.status, absent.code) == (404, "persona_not_found")


@pytest.mark.capability("S053")
@pytest.mark.parametrize(("agent_type", "offered"), [
    ("custom", CATEGORIES), ("system", CATEGORIES), ("specialized", CATEGORIES),
    ("code_architect", ["Engineering"]), ("security_expert", ["Engineering"]),
    ("performance_optimizer", ["Engineering"]), ("infrastructure_manager", ["Engineering", "Support"]),
    ("data_analyst", ["Engineering", "Marketing"]),
])
async def test_an_agent_is_offered_the_voices_that_fit_its_type(
    client: Client, agent_type: str, offered: list[str]
) -> None:
    page = (await client.get(f"/api/personas?agent_type={agent_type}")).json()

    assert page["categories"] == offered
    assert sorted({item["category"] for item in page["items"]}) == offered
    assert page["total"] == 4 * len(offered)


@pytest.mark.capability("S053")
@pytest.mark.parametrize(("shown_as", "offered"), [
    ("Custom", CATEGORIES), ("DevOps", ["Engineering", "Support"]), ("Data Analysis", ["Engineering", "Marketing"]),
    ("Customer Support", ["Support"]), ("Social Media", ["Marketing"]), ("E-commerce", CATEGORIES[1:]),
])
async def test_an_agent_is_offered_the_voices_of_the_category_it_is_shown_under(
    client: Client, write: Write, shown_as: str, offered: list[str]
) -> None:
    own = await write("Its own", category=shown_as.upper())
    other = await write("Another's", category="Accounting")

    answer = await client.get("/api/personas", params={"marketplace_category": shown_as})
    page = answer.json()

    voices = {item["name"] for item in page["items"]}
    assert own["name"] in voices
    assert (other["name"] in voices) is (shown_as == "Custom")
    assert {item["category"] for item in page["items"] if item["scope"] == "global"} == set(offered)


def test_every_category_that_agents_are_shown_under_can_be_asked_for() -> None:
    assert agent_categories() == {str(one) for one in Category}


async def test_a_category_is_there_once_however_its_letters_are_written(client: Client, write: Write) -> None:
    given = ["support", "SUPPORT", "devops", "Seafaring", "seafaring", "ÉTUDES", "études"]

    written = [(await write(f"Voice {place}", category=one))["category"] for place, one in enumerate(given)]
    page = (await client.get("/api/personas")).json()

    assert written == ["Support", "Support", "DevOps", "Seafaring", "Seafaring", "ÉTUDES", "ÉTUDES"]
    assert len({one.lower() for one in page["categories"]}) == len(page["categories"])
    assert {"Support", "Seafaring", "ÉTUDES"} <= set(page["categories"])


async def test_a_changed_category_is_written_as_the_library_has_it_and_alone_as_one_likes(
    client: Client, write: Write
) -> None:
    own = await write("Pirate", category="seafaring")
    path = f"/api/workspaces/{client.workspace_id}/personas/{own['id']}"

    alone = await client.put(path, json={"category": "SeaFaring"})
    joined = await client.put(path, json={"category": "marketing"})

    assert (alone.json()["category"], joined.json()["category"]) == ("SeaFaring", "Marketing")


async def test_categories_that_were_stored_in_several_ways_are_offered_once(
    client: Client, write: Write, database: Database
) -> None:
    own = await write("Pirate")
    async with database.recording(client.workspace_id) as connection:
        await connection.execute("UPDATE personas SET category = 'sUPPORT' WHERE id = $1", UUID(own["id"]))

    page = (await client.get("/api/personas")).json()

    assert page["categories"] == CATEGORIES
    assert "Pirate" in await names(client, "category=Support")


async def test_a_category_that_a_workspace_made_up_is_offered_to_every_type(client: Client, write: Write) -> None:
    await write("Pirate", category="Seafaring")
    await write("Operator", category="devops")

    assert "Pirate" in await names(client, "agent_type=code_architect")
    assert "Operator" not in await names(client, "agent_type=code_architect")
    assert "Operator" in await names(client, "agent_type=infrastructure_manager")


def test_every_type_of_agent_can_be_asked_for() -> None:
    assert agent_types() == {str(one) for one in AgentType}


async def test_words_are_looked_for_in_name_and_description(client: Client, write: Write) -> None:
    await write("100% sure_thing", description="Never doubts")

    assert await names(client, "search=100%25") == ["100% sure_thing"]
    assert await names(client, "search=SURE_") == ["100% sure_thing"]
    assert await names(client, "search=100_") == []
    assert await names(client, "search=never+doubts") == ["100% sure_thing"]
    assert await names(client, "category=support&search=technical") == ["Technical Support"]


async def test_pages_follow_each_other_without_gap_or_repeat(client: Client, write: Write) -> None:
    await write("Another Engineer", category="Engineering")
    whole = await names(client)

    pages = [await names(client, f"skip={skip}&limit=6") for skip in (0, 6, 12, 18)]

    assert [len(page) for page in pages] == [6, 6, 5, 0]
    assert [name for page in pages for name in page] == whole
    assert whole[0] == "Another Engineer"


@pytest.mark.parametrize("query", [
    "agent_type=pilot", "marketplace_category=Piracy",
    "scope=mine", "skip=-1", "limit=0", "limit=201", "category=" + "x" * 201,
    "search=" + "x" * 201,
])
async def test_a_list_that_cannot_be_asked_for_is_refused(client: Client, query: str) -> None:
    answer = await client.get(f"/api/personas?{query}")

    assert answer.status == 422, answer.body
    assert query.partition("=")[0] in answer.body.decode()


async def test_viewers_read_the_library(viewer: Client) -> None:
    assert len(await names(viewer)) == 16
