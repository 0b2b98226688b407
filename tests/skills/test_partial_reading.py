"""Large repositories: one name is asked for, then folders, then the files of skills; what else there is stays there."""

import random

import pytest
from aiohttp import web

from automatos.kernel.db import Database
from tests.fakes.git_server import BLOB, LINK, GitServer, Repository
from tests.skills.conftest import NOTHING, add_source, folder, stored
from tests.surface import Client

NOISE = random.Random(7).randbytes(3 * 2**20)


@pytest.mark.parametrize(("version", "leaves_out"), [(2, True), (2, False), (0, False)])
async def test_a_film_beside_the_skills_costs_nothing(
    admin: Client, repository: Repository, git_url: str, version: int, leaves_out: bool
) -> None:
    repository.version, repository.leaves_out = version, leaves_out
    film = repository.add(BLOB, NOISE)
    repository.commit(
        folder("one", {"a.md": "A.", "b.md": (LINK, b"../../shared/b.md"), "film.mp4": NOISE[:2**20 + 1]})
        | folder("two") | {"film.mp4": NOISE, "shared/b.md": "B.", "src/much.c": "x" * 500})

    done = (await add_source(admin, git_url)).json()

    assert done["added"] == ["one", "two"]
    one = done["skills"][0]
    assert [(left["path"], "larger than" in left["reason"]) for left in one["left_out"]] == [("film.mp4", True)]
    files = (await admin.get(f"/api/skills/{one['id']}")).json()["files"]
    assert [file["path"] for file in files] == ["a.md", "b.md"]
    wants = [line for body in repository.bodies for line in body if line.startswith("want ")]
    assert (f"want {film}" in wants) is False
    assert ("filter blob:none" in repository.bodies[1] if version == 2 and leaves_out else True)
    assert (sum("src/much.c" in line for line in wants), len(repository.bodies)) == (
        0, {(2, True): 4, (2, False): 2, (0, False): 1}[version, leaves_out])


@pytest.mark.parametrize("version", [0, 2])
async def test_ninety_thousand_names_are_no_obstacle(
    admin: Client, repository: Repository, git_url: str, version: int
) -> None:
    commit = repository.commit(folder("one"))
    repository.refs |= {f"refs/pull/{number}/head": commit for number in range(90_000)}
    repository.version = version

    assert (await add_source(admin, git_url)).json()["added"] == ["one"]

    if version == 2:
        assert [line for line in repository.bodies[0] if line.startswith("ref-prefix")] == ["ref-prefix HEAD"]


async def test_a_collection_of_many_skills_is_taken_whole(
    admin: Client, repository: Repository, git_url: str
) -> None:
    repository.version = 2
    repository.commit({path: text for number in range(330) for path, text in folder(f"s{number}").items()})
    done = (await add_source(admin, git_url)).json()
    assert (len(done["added"]), done["problems"], done["skills_discovered"]) == (330, [], 330)


async def test_files_too_much_at_once_are_asked_for_by_halves(
    admin: Client, repository: Repository, git_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automatos.skills.git.fetch.MAX_PACK_BYTES", 100_000)
    repository.version = 2
    repository.commit(folder("one", {
        f"f{place}": NOISE[place * 60_000:(place + 1) * 60_000] for place in range(3)} | {"large": NOISE[:150_000]}))

    done = (await add_source(admin, git_url)).json()

    assert [left["path"] for left in done["skills"][0]["left_out"]] == ["large"]
    files = (await admin.get(f"/api/skills/{done['skills'][0]['id']}")).json()["files"]
    assert [file["size_bytes"] for file in files] == [60_000] * 3


async def test_all_that_a_server_may_send_is_bounded(
    admin: Client, repository: Repository, git_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automatos.skills.git.fetch.MAX_PACK_BYTES", 100_000)
    repository.version, repository.leaves_out = 2, False
    repository.commit(folder("one", {"film": NOISE[:150_000]}))
    answer = await add_source(admin, git_url)
    assert (answer.status, "cannot leave out files" in answer.json()["detail"]) == (422, True)
    assert await stored(database, admin) == NOTHING


async def test_branches_tags_and_commits_are_found_by_name(
    admin: Client, repository: Repository, git_url: str
) -> None:
    repository.version = 2
    first = repository.commit(folder("one", body="First."))
    repository.tag("v1", first)
    repository.commit(folder("one", body="Now."))
    later = repository.commit(folder("one", body="Later."), branch="next")
    for number, (fields, commit) in enumerate([
        ({"branch": "v1"}, first), ({"branch": "next"}, later), ({"commit": first}, first), ({"branch": "nope"}, None),
        ({"commit": "0" * 40}, None)]):
        answer = await add_source(admin, git_url, source_name=f"s{number}", **fields)
        assert answer.json().get("commit_sha") == commit, answer.body
        if commit is None:
            assert answer.code == "git_unreachable"
        else:
            await admin.delete(f"/api/skills/sources/{answer.json()['source_id']}")
    assert "not our ref" in answer.json()["detail"]


async def test_the_first_question_follows_a_redirect_and_no_other(
    admin: Client, repository: Repository, git_server: GitServer, git_url: str
) -> None:
    repository.commit(folder("one"))
    old = git_server.repository("acme/old")
    old.answers["info/refs"] = lambda request: web.Response(
        status=301, headers={"Location": f"{git_url}/info/refs?{request.query_string}"})

    moved = await add_source(admin, git_server.url_of("acme/old"))

    assert moved.json()["added"] == ["one"]
    assert {headers["User-Agent"] for headers in git_server.headers} == {"git/2.43.0 (automatos)"}
    repository.answers["git-upload-pack"] = lambda _: web.Response(status=307, headers={"Location": git_url})
    synced = await admin.post(f"/api/skills/sources/{moved.json()['source_id']}/sync")
    assert (synced.status, "redirects to" in synced.json()["detail"]) == (422, True)
    old.answers["info/refs"] = lambda _: web.Response(status=301, headers={"Location": "/acme/old.git/info/refs"})
    turning = await add_source(admin, git_server.url_of("acme/old"), source_name="again")
    assert (turning.status, "3 redirects" in turning.json()["detail"]) == (422, True)
