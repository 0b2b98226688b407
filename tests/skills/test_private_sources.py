"""Private repositories: a stored credential opens them, and goes to its own host and nowhere else."""

import base64
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from automatos.credentials.seed import seed_credential_types
from automatos.kernel.db import Database
from tests.fakes.git_server import GitServer, Repository
from tests.skills.conftest import add_source, folder
from tests.surface import Client

TOKEN = "glpat-" + "0123456789abcdefghij"
HEADER = "Basic " + base64.b64encode(f"git:{TOKEN}".encode()).decode()


@pytest.fixture(autouse=True)
async def _types(database: Database) -> None:
    """As every server has them after its start."""
    await seed_credential_types(database)


@pytest.fixture
async def elsewhere() -> AsyncIterator[GitServer]:
    async with GitServer() as server:
        yield server


async def credential(admin: Client, host: str, kind: str = "git_server", **data: str) -> str:
    answer = await admin.post("/api/credentials", json={
        "name": f"For {host}", "credential_type": kind, "data": data or {"host": host, "token": TOKEN}})
    assert answer.status == 201, answer.body
    return answer.json()["id"]


@pytest.mark.parametrize("version", [0, 2])
async def test_a_credential_opens_a_private_repository(
    admin: Client, repository: Repository, git_url: str, git_server: GitServer, version: int
) -> None:
    repository.version, repository.authorization = version, HEADER
    repository.commit(folder("one"))
    host = git_url.split("/")[2]

    hidden = await add_source(admin, git_url)
    opened = await add_source(admin, git_url, credential_id=await credential(admin, host))

    assert (hidden.status, "choose a stored credential" in hidden.json()["detail"]) == (502, True)
    source = opened.json()["source"]
    assert (opened.status, opened.json()["added"], source["git_url"]) == (201, ["one"], git_url)
    assert TOKEN not in opened.body.decode()
    assert (await admin.post(f"/api/skills/sources/{source['id']}/sync")).status == 200
    actions = [entry["action"] for entry in (await admin.get("/api/audit?limit=50")).json()["items"]]
    assert actions.count("credential.used") == 2
    repository.authorization = "Basic other"
    refused = await admin.post(f"/api/skills/sources/{source['id']}/sync")
    assert (refused.status, "chosen credential may not read it" in refused.json()["detail"]) == (502, True)
    assert TOKEN not in refused.body.decode() + (await admin.get(f"/api/skills/sources/{source['id']}")).body.decode()
    taken = await admin.put(f"/api/skills/sources/{source['id']}", json={"credential_id": None})
    assert taken.json()["credential_id"] is None


async def test_a_credential_stays_with_its_host(
    admin: Client, repository: Repository, git_url: str, git_server: GitServer, elsewhere: GitServer
) -> None:
    repository.commit(folder("one"))
    other = elsewhere.repository("acme/skills")
    other.commit(folder("two"))
    host = git_url.split("/")[2]
    mine = await credential(admin, host)

    wrong = await add_source(admin, elsewhere.url_of("acme/skills"), credential_id=mine)
    repository.answers["info/refs"] = lambda request: web.Response(status=302, headers={
        "Location": f"{elsewhere.url_of('acme/skills')}/info/refs?{request.query_string}"})
    moved = await add_source(admin, git_url, credential_id=mine)

    assert (wrong.status, wrong.code, host in wrong.json()["detail"]) == (422, "credential_unfit", True)
    assert moved.json()["added"] == ["two"]
    assert [headers.get("Authorization") for headers in git_server.headers] == [HEADER]
    assert {headers.get("Authorization") for headers in elsewhere.headers} == {None}


async def test_a_credential_that_cannot_be_used_says_why(
    admin: Client, stranger: Client, repository: Repository, git_url: str, git_server: GitServer
) -> None:
    repository.commit(folder("one"))
    host = git_url.split("/")[2]
    foreign = await credential(stranger, host)
    off = await credential(admin, host)
    await admin.put(f"/api/credentials/{off}", json={"is_active": False})
    cases = {
        foreign: "credential_not_found", off: "credential_unfit",
        await credential(admin, "slack", "slack_api", token=TOKEN): "credential_unfit",
        await credential(admin, "github", "github_api", token=TOKEN): "credential_unfit",
        await credential(admin, "basic", "http_basic_auth", username="a", password="b"): "credential_unfit",
    }
    for each, code in cases.items():
        assert (await add_source(admin, git_url, credential_id=each)).code == code
    assert git_server.asked == []
    basic = await credential(admin, "own", "http_basic_auth", username="a", password="b", test_url=f"http://{host}/x")
    assert (await add_source(admin, git_url, credential_id=basic)).status == 201
    assert git_server.headers[0]["Authorization"] == "Basic " + base64.b64encode(b"a:b").decode()
