"""Skills from git: added, kept in step, pinned, rolled back, removed; read over real HTTP, stored in one step."""

import asyncio

import pytest
from aiohttp import web

from automatos.durable.service import Bus
from automatos.entrypoints.services import Services
from automatos.kernel.db import Database
from automatos.kernel.http import Http
from automatos.kernel.ids import new_id
from automatos.skills.jobs import periodic_tasks
from tests.fakes.git_server import LINK, GitServer, Repository
from tests.skills.conftest import NOTHING, add_source, folder, skill_md, stored
from tests.surface import Client


async def names(client: Client, **query: str) -> list[str]:
    listed = await client.get("/api/skills", params={"source": "git", **query})
    return [skill["name"] for skill in listed.json()["items"]]


@pytest.mark.capability("S057")
@pytest.mark.capability("S058")
async def test_every_skill_of_a_repository_is_taken(admin: Client, repository: Repository, git_url: str) -> None:
    commit = repository.commit(
        folder("code-review", {"references/list.md": "Look twice.", "references/same.md": (LINK, b"list.md")})
        | folder("triage", description="Sorts incidents.") | {"README.md": "hello", "other/notes.txt": "no skill"})

    answer = await add_source(admin, git_url, auto_update=True, update_frequency_hours=6)

    done = answer.json()
    assert answer.status == 201, answer.body
    assert answer.headers["Location"] == f"/api/skills/sources/{done['source_id']}"
    assert (done["commit_sha"], done["old_commit"], done["added"]) == (commit, None, ["code-review", "triage"])
    assert (done["source_name"], done["skills_discovered"], done["problems"]) == ("acme/skills", 2, [])
    review = done["skills"][0]
    assert (review["git_url"], review["git_commit_sha"], review["path"]) == (git_url, commit, "skills/code-review")
    assert (review["source"], review["source_name"]) == ("git", "acme/skills")
    files = (await admin.get(f"/api/skills/{review['id']}")).json()["files"]
    assert [file["path"] for file in files] == ["references/list.md", "references/same.md"]
    linked = await admin.get(f"/api/skills/{review['id']}/content?level=3&resource_path=references/same.md")
    assert linked.json()["content"] == "Look twice."
    source = (await admin.get(f"/api/skills/sources/{done['source_id']}")).json()
    assert (source["last_sync_status"], source["status"], source["last_sync_error"]) == ("success", "active", None)
    assert [one["commit_sha"] for one in source["history"]] == [commit]


async def test_a_sync_takes_what_changed_and_nothing_else(
    admin: Client, repository: Repository, git_url: str
) -> None:
    first = repository.commit(folder("one") | folder("two") | folder("three"))
    source = (await add_source(admin, git_url)).json()["source_id"]
    second = repository.commit(folder("one", body="Better.") | folder("two") | folder("four"))

    done = (await admin.post(f"/api/skills/sources/{source}/sync")).json()

    assert (done["old_commit"], done["commit_sha"]) == (first, second)
    assert (done["added"], done["updated"], done["removed"], done["unchanged"]) == (
        ["four"], ["one"], ["three"], ["two"])
    versions = {skill["name"]: (skill["current_version"], skill["is_active"]) for skill in done["skills"]}
    assert versions == {"one": (2, True), "two": (1, True), "three": (1, False), "four": (1, True)}

    again = (await admin.post(f"/api/skills/sources/{source}/sync")).json()
    assert (again["added"], again["updated"], again["removed"]) == ([], [], [])

    repository.commit(folder("one", body="Better.") | folder("two") | folder("four") | folder("three"))
    back = (await admin.post(f"/api/skills/sources/{source}/sync")).json()
    assert {skill["name"]: skill["is_active"] for skill in back["skills"]}["three"] is True


async def test_what_people_switched_off_stays_off_after_a_sync(
    admin: Client, repository: Repository, git_url: str
) -> None:
    repository.commit(folder("one") | folder("two"))
    done = (await add_source(admin, git_url)).json()
    await admin.put(f"/api/skills/{done['skills'][0]['id']}", json={"is_active": False})
    repository.commit(folder("one", body="Better.") | folder("two"))

    synced = (await admin.post(f"/api/skills/sources/{done['source_id']}/sync")).json()

    assert (synced["skills"][0]["current_version"], synced["skills"][0]["is_active"]) == (2, False)


async def test_a_rollback_restores_what_was_and_asks_nobody(
    admin: Client, repository: Repository, git_url: str, git_server: GitServer
) -> None:
    first = repository.commit(folder("one", {"a.md": "old"}) | folder("gone"))
    source = (await add_source(admin, git_url)).json()["source_id"]
    second = repository.commit(folder("one", {"a.md": "new"}, body="Newer.") | folder("late"))
    await admin.post(f"/api/skills/sources/{source}/sync")
    git_server.asked.clear()
    del repository.refs["refs/heads/main"]

    done = (await admin.post(f"/api/skills/sources/{source}/rollback", json={"commit_sha": first})).json()

    assert git_server.asked == []
    assert (done["commit_sha"], done["source"]["pinned_commit"]) == (first, first)
    assert (done["updated"], done["added"], done["removed"]) == (["one"], ["gone"], ["late"])
    one = next(skill for skill in done["skills"] if skill["name"] == "one")
    assert (await admin.get(f"/api/skills/{one['id']}/content")).json()["content"] == "Do it well."
    assert (await admin.get(f"/api/skills/{one['id']}/content?level=3&resource_path=a.md")).json()["content"] == "old"

    forward = (await admin.post(f"/api/skills/sources/{source}/rollback", json={"commit_sha": second})).json()
    assert (forward["updated"], forward["added"], forward["removed"]) == (["one"], ["late"], ["gone"])
    unknown = await admin.post(f"/api/skills/sources/{source}/rollback", json={"commit_sha": "0" * 40})
    assert (unknown.status, unknown.code) == (404, "commit_not_synced")


async def test_a_pinned_source_stays_where_it_is(admin: Client, repository: Repository, git_url: str) -> None:
    first = repository.commit(folder("one", body="First."))
    repository.commit(folder("one", body="Second."))
    third = repository.commit(folder("one", body="Third."))
    at = f"/api/skills/sources/{(await add_source(admin, git_url, commit=first)).json()['source_id']}"

    stays = (await admin.post(f"{at}/sync")).json()
    assert (stays["commit_sha"], stays["source"]["pinned_commit"]) == (first, first)
    free = (await admin.post(f"{at}/pin", json={"commit_sha": None})).json()
    assert (free["commit_sha"], free["source"]["pinned_commit"]) == (first, None)
    assert (await admin.post(f"{at}/sync")).json()["commit_sha"] == third
    fetched = (await admin.post(f"{at}/pin", json={"commit_sha": first})).json()
    assert (fetched["commit_sha"], fetched["source"]["pinned_commit"]) == (first, first)
    unknown = await admin.post(f"{at}/pin", json={"commit_sha": "0" * 40})
    assert (unknown.status, unknown.code) == (502, "git_unreachable")
    assert (await admin.get(at)).json()["pinned_commit"] == first


async def test_branches_and_tags_are_read_by_name(admin: Client, repository: Repository, git_url: str) -> None:
    tagged = repository.commit(folder("one", body="Released."))
    repository.tag("v1", tagged)
    repository.commit(folder("one", body="Now."))
    wip = repository.commit(folder("one", body="Later."), branch="feature/x")

    by_tag = (await add_source(admin, git_url, branch="v1", source_name="released")).json()
    assert by_tag["commit_sha"] == tagged
    await admin.delete(f"/api/skills/sources/{by_tag['source_id']}")
    by_branch = (await add_source(admin, git_url, branch="feature/x")).json()
    assert (by_branch["commit_sha"], by_branch["source"]["git_branch"]) == (wip, "feature/x")
    missing = await add_source(admin, git_url, branch="nope", source_name="other")
    assert (missing.status, missing.code) == (502, "git_unreachable")


async def test_a_failed_sync_keeps_the_last_state_and_says_why(
    admin: Client, repository: Repository, git_url: str, database: Database
) -> None:
    repository.commit(folder("one", {"a.md": "a"}))
    source = (await add_source(admin, git_url)).json()["source_id"]
    before = await stored(database, admin)
    repository.commit({"skills/one/SKILL.md": "---\nname: one\nno end"})

    answer = await admin.post(f"/api/skills/sources/{source}/sync")

    assert (answer.status, answer.code) == (422, "skill_invalid")
    shown = (await admin.get(f"/api/skills/sources/{source}")).json()
    assert (shown["status"], shown["last_sync_status"]) == ("error", "error")
    assert "front matter that does not end" in shown["last_sync_error"]
    assert await stored(database, admin) == before
    repository.commit(folder("one", {"a.md": "b"}))
    healed = (await admin.post(f"/api/skills/sources/{source}/sync")).json()["source"]
    assert (healed["status"], healed["last_sync_error"]) == ("active", None)


async def test_skills_that_cannot_be_used_are_named_and_the_others_taken(
    admin: Client, repository: Repository, git_url: str
) -> None:
    await admin.post("/api/skills", json={"name": "taken", "description": "Mine.", "content": "Mine."})
    repository.commit(
        folder("good") | folder("taken") | {"skills/wrong/SKILL.md": "---\nname: wrong\n"}
        | {"skills/odd/SKILL.md": skill_md("other", license="MIT", version="1")})

    done = (await add_source(admin, git_url)).json()

    assert (done["added"], done["source"]["last_sync_status"]) == (["good", "other"], "partial")
    assert (done["source"]["skills_taken"], done["source"]["skills_discovered"]) == (2, 4)
    told = {one["path"]: " ".join(one["problems"]) for one in done["problems"]}
    assert set(told) == {"skills/taken", "skills/wrong"}
    assert "from elsewhere" in told["skills/taken"]
    assert "skills/wrong" in done["source"]["last_sync_error"]
    assert "1 of 3 skills differ" in done["notes"][0]
    odd = next(skill for skill in done["skills"] if skill["name"] == "other")
    assert (odd["verdict"], odd["skill_metadata"]["fields"]) == ("usable", {"version": "1"})
    assert "'odd'" in " ".join(odd["notes"])
    shown = (await admin.get(f"/api/skills/{odd['id']}")).json()
    assert shown["front_matter"] == "name: other\ndescription: Does one thing well.\nlicense: MIT\nversion: 1"


async def test_a_folder_that_broke_keeps_its_last_good_state(
    admin: Client, repository: Repository, git_url: str
) -> None:
    repository.commit(folder("one") | folder("two"))
    source = (await add_source(admin, git_url)).json()["source_id"]
    repository.commit(folder("one") | {"skills/two/SKILL.md": "---\nno end"})

    done = (await admin.post(f"/api/skills/sources/{source}/sync")).json()

    assert (done["removed"], [one["path"] for one in done["problems"]]) == ([], ["skills/two"])
    assert [skill["is_active"] for skill in done["skills"]] == [True, True]


async def test_a_skill_from_git_is_changed_there(admin: Client, repository: Repository, git_url: str) -> None:
    repository.commit(folder("one"))
    skill = (await add_source(admin, git_url)).json()["skills"][0]["id"]

    answers = [await admin.put(f"/api/skills/{skill}", json={"content": "x"}),
               await admin.delete(f"/api/skills/{skill}?force=true"),
               await admin.post(f"/api/skills/{skill}/versions/1/restore")]

    assert {(answer.status, answer.code) for answer in answers} == {(409, "skill_kept_by_source")}


async def test_a_source_goes_with_its_skills_unless_agents_use_them(
    admin: Client, repository: Repository, git_url: str, database: Database
) -> None:
    repository.commit(folder("one") | folder("two"))
    done = (await add_source(admin, git_url)).json()
    agent = (await admin.post("/api/agents", json={"name": "Ada", "agent_type": "custom"})).json()
    await admin.post(f"/api/agents/{agent['id']}/skills", json={"skill_ids": [done["skills"][0]["id"]]})
    at = f"/api/skills/sources/{done['source_id']}"

    refused = await admin.delete(at)

    assert (refused.status, refused.code) == (409, "skill_in_use")
    assert [one["name"] for one in refused.json()["skills"]] == ["one"]
    assert (await admin.delete(f"{at}?force=true")).status == 204
    assert await stored(database, admin) == NOTHING
    assert (await admin.get(at)).code == "skill_source_not_found"


async def test_a_source_can_be_renamed_and_switched_off(
    admin: Client, repository: Repository, git_url: str, git_server: GitServer
) -> None:
    repository.commit(folder("one"))
    other = git_server.repository("acme/other")
    other.commit(folder("two"))
    at = f"/api/skills/sources/{(await add_source(admin, git_url)).json()['source_id']}"
    await add_source(admin, git_server.url_of("acme/other"))

    renamed = (await admin.put(at, json={
        "source_name": "ours", "is_active": False, "update_frequency_hours": 1})).json()
    assert (renamed["source_name"], renamed["status"], renamed["update_frequency_hours"]) == ("ours", "inactive", 1)
    assert (await admin.post(f"{at}/sync")).code == "skill_source_inactive"
    assert (await admin.put(at, json={"source_name": "acme/other"})).code == "skill_source_name_taken"
    assert (await add_source(admin, git_url, source_name="ours")).code == "skill_source_name_taken"
    assert (await admin.put(at, json={"branch": "--upload-pack=x"})).code == "git_refused"
    assert [one["source_name"] for one in (await admin.get("/api/skills/sources")).json()["items"]] == [
        "acme/other", "ours"]
    assert (await admin.get("/api/skills/sources?status=inactive")).json()["total"] == 1


async def test_another_workspace_sees_nothing_of_a_source(
    admin: Client, stranger: Client, repository: Repository, git_url: str
) -> None:
    commit = repository.commit(folder("one"))
    at = f"/api/skills/sources/{(await add_source(admin, git_url)).json()['source_id']}"

    answers = [
        await stranger.get(at), await stranger.put(at, json={"auto_update": True}), await stranger.delete(at),
        await stranger.post(f"{at}/sync"), await stranger.post(f"{at}/pin", json={"commit_sha": None}),
        await stranger.post(f"{at}/rollback", json={"commit_sha": commit}),
        await stranger.get(f"/api/skills/sources/{new_id()}"),
    ]

    assert {(answer.status, answer.code) for answer in answers} == {(404, "skill_source_not_found")}
    assert (await stranger.get("/api/skills/sources")).json() == {"items": [], "total": 0}


async def test_sources_that_ask_for_it_are_kept_in_step(
    admin: Client, repository: Repository, git_url: str, database: Database, services: Services
) -> None:
    repository.commit(folder("one"))
    source = (await add_source(admin, git_url, auto_update=True, update_frequency_hours=1)).json()["source_id"]
    repository.commit(folder("one") | folder("two"))
    http = Http.open()
    bus: Bus = services.bus
    (task,) = periodic_tasks(database, bus, http, allow_private=True)

    await task.do()
    assert await names(admin) == ["one"]
    async with database.recording(admin.workspace_id) as connection:
        await connection.execute("UPDATE skill_sources SET last_sync_at = now() - interval '2 hours'")
    await task.do()
    assert await names(admin) == ["one", "two"]

    repository.answers["info/refs"] = lambda _: web.Response(status=503)
    async with database.recording(admin.workspace_id) as connection:
        await connection.execute("UPDATE skill_sources SET last_sync_at = now() - interval '2 hours'")
    await task.do()
    shown = (await admin.get(f"/api/skills/sources/{source}")).json()
    assert (shown["status"], shown["last_sync_status"]) == ("error", "error")
    assert await names(admin) == ["one", "two"]
    await http.close()


async def test_two_syncs_at_once_agree(admin: Client, repository: Repository, git_url: str) -> None:
    repository.commit(folder("one"))
    at = f"/api/skills/sources/{(await add_source(admin, git_url)).json()['source_id']}"
    repository.commit(folder("one", body="Better.") | folder("two"))

    answers = await asyncio.gather(*(admin.post(f"{at}/sync") for _ in range(3)))

    assert [answer.status for answer in answers] == [200] * 3
    skills = answers[0].json()["skills"]
    assert {skill["name"]: skill["current_version"] for skill in skills} == {"one": 2, "two": 1}
