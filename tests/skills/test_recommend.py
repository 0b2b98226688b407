"""Which skills fit some work, how well, and why."""


import pytest

from automatos.skills.models import Skill
from automatos.skills.recommend import rank
from tests.costs import calls_made
from tests.surface import Client


async def made(client: Client, name: str, description: str, **fields: object) -> int:
    answer = await client.post("/api/skills", json={
        "name": name, "description": description, "content": "Do it."} | fields)
    assert answer.status == 201, answer.body
    return answer.json()["id"]


@pytest.fixture
async def four(client: Client) -> Client:
    await made(client, "zebra-grooming", "Combs striped animals.", tags=["stable"], category="security")
    await made(client, "stable-cleaning", "Sweeps where zebras live.", category="infrastructure")
    await made(client, "hay-buying", "Buys food.", tags=["zebra", "horse"], category="infrastructure")
    await made(client, "piano-tuning", "Tunes pianos.", category="monitoring")
    return client


async def asked(client: Client, task: str, **fields: object) -> list[dict[str, object]]:
    answer = await client.post("/api/skills/recommend", json={"task_description": task, "limit": 20} | fields)
    assert answer.status == 200, answer.body
    return [one for one in answer.json()["items"] if one["skill"]["source"] == "manual"]


async def test_a_name_counts_more_than_a_description_and_that_more_than_a_tag(four: Client) -> None:
    found = await asked(four, "Which zebra is it?")
    assert [(one["skill"]["name"], one["score"], one["matched"]) for one in found] == [
        ("zebra-grooming", 0.5, ["zebra (name)"]), ("stable-cleaning", 0.35, ["zebra (description)"]),
        ("hay-buying", 0.25, ["zebra (tag)"])]
    assert found[0]["reason"] == "It matches zebra (name)."


async def test_points_add_up_to_less_than_certainty(four: Client) -> None:
    found = await asked(four, "The grooming of striped zebras, security of the stable")
    assert (found[0]["skill"]["name"], found[0]["score"]) == ("zebra-grooming", 0.99)
    assert found[0]["matched"] == [
        "grooming (name)", "striped (description)", "zebra (name)", "stable (tag)", "security (category)"]
    assert found[1]["score"] == 0.85


async def test_the_kind_of_work_counts(four: Client) -> None:
    found = await asked(four, "xylophones", task_type="monitoring")
    assert [(one["skill"]["name"], one["score"]) for one in found] == [("piano-tuning", 0.2)]


async def test_nothing_fits_what_nothing_is_about(four: Client) -> None:
    assert await asked(four, "and the with for you, what?") == []
    assert await asked(four, "quantum chromodynamics") == []


async def test_only_what_is_switched_on_and_seen_is_recommended(four: Client, stranger: Client) -> None:
    found = await asked(four, "piano")
    await four.put(f"/api/skills/{found[0]['skill']['id']}", json={"is_active": False})
    assert await asked(four, "piano") == []
    assert await asked(stranger, "zebra") == []


@pytest.mark.parametrize("body", [
    {}, {"task_description": ""}, {"task_description": "x", "limit": 0}, {"task_description": "x", "limit": 21},
    {"task_description": "x" * 10_001}, {"task_description": "x", "extra": 1},
])
async def test_a_question_must_be_whole(client: Client, body: dict[str, object]) -> None:
    assert (await client.post("/api/skills/recommend", json=body)).status == 422


def test_ranking_twice_as_many_skills_by_twice_as_many_words_costs_about_twice_each() -> None:
    def skills(count: int) -> list[Skill]:
        return [Skill(id=place, name=f"skill-{place}", tags=[], category="development",
                      description=" ".join(f"w{place}x{word}" for word in range(120))) for place in range(count)]

    def cost(count: int, words: int) -> int:
        found, task = skills(count), " ".join(f"{word:x}xy" for word in range(words))
        return calls_made(lambda: rank(found, task, None, 5))

    assert cost(200, 100) <= 2.2 * cost(100, 100)
    assert cost(100, 200) <= 2.2 * cost(100, 100)
