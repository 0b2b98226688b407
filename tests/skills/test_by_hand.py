"""Skills written by hand: made, read at three levels, changed, restored, removed; each workspace its own."""

import pytest

from automatos.kernel.db import Database
from automatos.kernel.tokens import estimate_tokens
from tests.skills.conftest import NOTHING, stored
from tests.surface import Client, Make, add_key

SKILL = {
    "name": "release-notes", "description": "Writes release notes. Use when a version is about to ship.",
    "content": "# Steps\n\n1. Read the commits.\n2. Group them.", "tags": "Writing, release , writing",
    "category": "documentation", "skill_type": "communication",
    "files": [{"path": "references/style.md", "content": "Short sentences. " * 20},
              {"path": "scripts/count.py", "content": "print(1)\n"}],
    "tools_schema": [{"name": "count", "description": "Counts lines.", "command": "scripts/count.py",
                      "parameters": {"type": "object", "properties": {"text": {"type": "string"}}}}],
}


def file(path: str) -> dict[str, str]:
    return {"path": path, "content": ""}


def tool(command: str = "scripts/count.py", **schema: object) -> dict[str, object]:
    return {"name": "x", "description": "x", "command": command, "parameters": {"type": "object"} | schema}


async def made(client: Client, **changes: object) -> dict[str, object]:
    answer = await client.post("/api/skills", json=SKILL | changes)
    assert answer.status == 201, answer.body
    return answer.json()


@pytest.mark.capability("S057")
@pytest.mark.capability("S058")
async def test_a_skill_keeps_all_that_was_said_of_it(client: Client) -> None:
    answer = await client.post("/api/skills", json=SKILL)

    skill = answer.json()
    assert (answer.status, answer.headers["Location"]) == (201, f"/api/skills/{skill['id']}")
    assert (skill["name"], skill["category"], skill["skill_type"]) == (
        "release-notes", "documentation", "communication")
    assert (skill["tags"], skill["source"], skill["is_active"]) == (["writing", "release"], "manual", True)
    assert (skill["current_version"], skill["git_url"], skill["git_commit_sha"]) == (1, None, None)
    assert [(file["path"], file["kind"]) for file in skill["files"]] == [
        ("references/style.md", "reference"), ("scripts/count.py", "script"), ("tools.json", "other")]
    assert [tool["name"] for tool in skill["tools_schema"]] == ["count"]
    assert (await client.get(f"/api/skills/{skill['id']}")).json() == skill
    listed = (await client.get("/api/skills?source=manual")).json()
    assert [one["id"] for one in listed["items"]] == [skill["id"]]


@pytest.mark.capability("S060")
async def test_each_level_gives_more(client: Client) -> None:
    skill = await made(client)
    at = f"/api/skills/{skill['id']}/content"

    metadata, core = (await client.get(f"{at}?level=1")).json(), (await client.get(at)).json()
    resource = (await client.get(f"{at}?level=3&resource_path=references/style.md")).json()

    assert "release-notes" in metadata["content"]
    assert "Read the commits" not in metadata["content"]
    assert (core["load_level"], core["content"]) == (2, SKILL["content"])
    assert core["estimated_tokens"] == skill["core_tokens"] == estimate_tokens(str(SKILL["content"]))
    assert resource["content"] == "Short sentences. " * 20
    assert metadata["estimated_tokens"] < core["estimated_tokens"] + 20 < resource["estimated_tokens"] + 20
    assert [file["path"] for file in core["files_available"]] == [
        "references/style.md", "scripts/count.py", "tools.json"]


@pytest.mark.parametrize(("query", "status", "code"), [
    ("level=3", 422, "resource_path_missing"), ("level=3&resource_path=../x", 404, "skill_file_not_found"),
    ("level=3&resource_path=references", 404, "skill_file_not_found"), ("level=4", 422, "invalid_request"),
    ("level=0", 422, "invalid_request"), ("level=3&resource_path=", 422, "invalid_request"),
])
async def test_a_level_that_cannot_be_loaded_says_why(client: Client, query: str, status: int, code: str) -> None:
    skill = await made(client)
    answer = await client.get(f"/api/skills/{skill['id']}/content?{query}")
    assert (answer.status, answer.code) == (status, code)


async def test_a_change_is_a_version_that_can_be_restored(client: Client) -> None:
    skill = await made(client)
    at = f"/api/skills/{skill['id']}"

    changed = (await client.put(at, json={
        "content": "Another way.", "tags": ["new"], "files": [], "tools_schema": []})).json()
    same = (await client.put(at, json={"content": "Another way."})).json()

    assert (changed["current_version"], changed["tags"], changed["description"]) == (2, ["new"], SKILL["description"])
    assert (changed["files"], changed["tools_schema"]) == ([], [])
    assert same["current_version"] == 2
    versions = (await client.get(f"{at}/versions")).json()["items"]
    assert [(one["version"], one["is_current"]) for one in versions] == [(2, True), (1, False)]
    restored = (await client.post(f"{at}/versions/1/restore")).json()
    assert (restored["current_version"], restored["tags"]) == (3, ["writing", "release"])
    assert (await client.get(f"{at}/content")).json()["content"] == SKILL["content"]
    assert len(restored["files"]) == 3
    again = (await client.post(f"{at}/versions/3/restore")).json()
    assert again["current_version"] == 3
    assert (await client.post(f"{at}/versions/9/restore")).code == "skill_version_not_found"


async def test_switching_off_is_not_a_version(client: Client) -> None:
    skill = await made(client)
    off = (await client.put(f"/api/skills/{skill['id']}", json={"is_active": False})).json()
    assert (off["is_active"], off["current_version"]) == (False, 1)
    assert (await client.get("/api/skills?is_active=true&source=manual")).json()["total"] == 0


@pytest.mark.capability("S059")
async def test_a_skill_in_use_is_not_removed_unless_forced(client: Client, make: Make) -> None:
    skill = await made(client)
    agent = await make.agent(name="Writer", active=False)
    given = await client.post(f"/api/agents/{agent['id']}/skills", json={"skill_ids": [skill["id"]]})
    assert given.status == 200, given.body
    assert (await client.get(f"/api/skills/{skill['id']}")).json()["agents"] == [{"id": agent["id"], "name": "Writer"}]

    refused = await client.delete(f"/api/skills/{skill['id']}")

    assert (refused.status, refused.code) == (409, "skill_in_use")
    assert refused.json()["skills"] == [
        {"name": "release-notes", "agents": [{"id": agent["id"], "name": "Writer"}]}]
    assert (await client.delete(f"/api/skills/{skill['id']}?force=true")).status == 204
    assert (await client.get(f"/api/agents/{agent['id']}/skills")).json()["total"] == 0


@pytest.mark.parametrize(("changes", "named"), [
    ({"name": "Release Notes"}, "lower-case"), ({"name": "-x"}, "hyphen"), ({"name": "a--b"}, "hyphen"),
    ({"name": "x" * 65}, "name"), ({"description": "x" * 1025}, "description"), ({"description": "  "}, "description"),
    ({"content": ""}, "content"), ({"category": "magic"}, "category"), ({"skill_type": "magic"}, "skill_type"),
    ({"files": [file("../x")]}, "'..'"), ({"files": [file("/etc/x")]}, "absolute"),
    ({"files": [file("a\\b")]}, "backslash"), ({"files": [file("SKILL.md")]}, "SKILL.md"),
    ({"files": [file("a"), file("a")]}, "twice"), ({"extra": 1}, "extra"), ({"content": "\x00"}, "NUL"),
    ({"files": [file(".git/config")]}, ".git"),
    ({"tools_schema": [tool(command="scripts/no.py")]}, "no file"),
    ({"tools_schema": [tool(type="array")]}, "type object"), ({"tools_schema": [tool(required=5)]}, "JSON Schema"),
    ({"tools_schema": [tool(properties={"a": {"$ref": "http://10.0.0.1/x"}})]}, "$ref"),
    ({"tools_schema": [tool(properties={"a": {"pattern": "(" * 5000 + ")" * 5000}})]}, "pattern"),
    ({"tools_schema": [tool(properties={"a": {"pattern": "a{99999999999999}"}})]}, "pattern"),
    ({"tools_schema": [tool(properties={f"p{place}": {} for place in range(5000)})]}, "parts"),
])
async def test_what_is_not_a_skill_is_refused_with_the_reason(
    client: Client, database: Database, changes: dict[str, object], named: str
) -> None:
    answer = await client.post("/api/skills", json=SKILL | changes)

    assert (answer.status, answer.code) in {(422, "skill_invalid"), (422, "invalid_request")}
    assert named in answer.body.decode()
    assert await stored(database, client) == NOTHING


async def test_a_name_is_used_once_in_a_workspace(client: Client, stranger: Client) -> None:
    await made(client)
    assert (await client.post("/api/skills", json=SKILL)).code == "skill_name_taken"
    await made(stranger)


async def test_another_workspace_sees_nothing_of_it(client: Client, stranger: Client) -> None:
    skill = await made(client)
    at = f"/api/skills/{skill['id']}"

    answers = [
        await stranger.get(at), await stranger.get(f"{at}/content"), await stranger.get(f"{at}/versions"),
        await stranger.put(at, json={"content": "mine"}), await stranger.delete(at),
        await stranger.post(f"{at}/versions/1/restore"),
    ]

    assert {(answer.status, answer.code) for answer in answers} == {(404, "skill_not_found")}
    assert (await stranger.get("/api/skills?source=manual")).json()["total"] == 0
    assert (await client.get(at)).json() == skill


async def test_a_viewer_reads_and_changes_nothing(client: Client, database: Database) -> None:
    skill = await made(client)
    viewer = Client(client.http, client.workspace_id,
                    {"X-API-Key": await add_key(database, client.workspace_id, "viewer")})
    at = f"/api/skills/{skill['id']}"

    assert (await viewer.get(f"{at}/content")).status == 200
    refused = [
        await viewer.post("/api/skills", json=SKILL), await viewer.put(at, json={"content": "x"}),
        await viewer.delete(at), await viewer.post("/api/skills/upload", data=b"PK"),
        await viewer.post("/api/skills/sources/git", json={"git_url": "https://example.org/x"}),
    ]
    assert [answer.status for answer in refused] == [403] * 5


async def test_the_log_names_who_changed_what(client: Client) -> None:
    skill = await made(client)
    await client.put(f"/api/skills/{skill['id']}", json={"content": "x"})
    await client.delete(f"/api/skills/{skill['id']}")

    entries = (await client.get("/api/audit?action=skill")).json()["items"]

    assert [entry["action"] for entry in entries] == ["skill.deleted", "skill.updated", "skill.created"]
    assert {entry["detail"]["name"] for entry in entries} == {"release-notes"}
