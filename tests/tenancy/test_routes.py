"""Every route of the API, tried with another workspace's ids by everybody who must not get through."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from automatos.kernel.ids import new_id
from tests.surface import Answer, Client
from tests.tenancy.attempts import Attempt, Operation, fill, foreign_pairs
from tests.tenancy.conftest import fingerprint
from tests.tenancy.world import World

WRITES_OF_ANYBODY = {
    "POST /api/agents/{agent_id}/status/preview",  # stores nothing
    "POST /api/auth/session", "POST /api/auth/sign-out-everywhere",  # one's own cookies
    "PUT /api/auth/password", "DELETE /api/auth/sessions/{session_id}",  # one's own
    "POST /api/invitations/accept",  # one's own invitation
    "POST /api/models/estimate-cost", "POST /api/models/recommend",  # store nothing
    "POST /api/skills/recommend", "POST /api/skills/validate",  # store nothing
    "POST /api/workflow-recipes/validate",  # stores nothing
    "POST /api/workspaces",  # one's own workspace
}
"""What a viewer may send besides reads."""

OF_THE_SERVER = {
    "GET /api/admin/workspaces", "GET /api/admin/workspaces/{tenant_id}", "GET /api/health/endpoints",
    "GET /api/auth/oidc/sign-in",  # leads a browser away, here to a page
}
"""Reads that no role in a workspace gives."""


@pytest.fixture(autouse=True)
async def untouched(world: World, superuser: asyncpg.Connection, request: pytest.FixtureRequest) -> AsyncIterator[None]:
    """Whatever was tried: every row of Ada's workspace is as it was."""
    before = await fingerprint(superuser, world.hers["workspace_id"])
    assert all(before.values()), "Ada must have a row in every table that belongs to workspaces"
    yield
    if "owner" not in request.node.name:
        assert await fingerprint(superuser, world.hers["workspace_id"]) == before


@pytest.mark.capability("S160")
@pytest.mark.capability("S021")
async def test_foreign_things_answer_like_absent_ones(world: World, described: list[Operation]) -> None:
    bob, wrong, tried = await world.bob.at(world.bob.home), {}, 0

    for operation in described:
        for foreign, absent in foreign_pairs(operation, world.his, world.hers, world.absent):
            if operation.is_public and operation.path_ids:
                wrong[operation.name] = "public, and names somebody's things"
            one, other = await foreign.send(bob), await absent.send(bob)
            tried += 1
            if said_by(one, foreign) != said_by(other, absent):
                wrong[f"{operation.name} {foreign.path}"] = (said_by(one, foreign), said_by(other, absent))
            elif one.status >= 500 or (one.status < 300 and (operation.path_ids or shown(world, one, foreign))):
                wrong[f"{operation.name} {foreign.path}"] = (one.status, one.body[:300])

    assert wrong == {}
    assert tried > 30


def said_by(answer: Answer, attempt: Attempt) -> tuple[Any, ...]:
    """What an answer says, without the ids that were asked for and the name of the request."""
    if answer.status < 300:
        return (answer.status,)
    said = answer.body.decode()
    for named in attempt.named:
        said = re.sub(rf"(?<![\w-]){re.escape(named)}(?![\w-])", "ID", said)
    return answer.status, answer.code, re.sub(r'"request_id":"[^"]*"', "", said)


def shown(world: World, answer: Answer, attempt: Attempt) -> list[str]:
    """What an answer shows of Ada's workspace beyond what was asked in words."""
    asked = f"{attempt.path} {attempt.query} {attempt.body}"
    return [word for word in world.reveals(answer) if word not in asked]


@pytest.mark.capability("S160")
async def test_nothing_of_a_workspace_shows_in_another(world: World, described: list[Operation]) -> None:
    mixed, wrong = world.absent | world.his, {}

    for operation in described:
        answer = await fill(operation, mixed, mixed).send(await world.bob.at(world.bob.home))
        if world.reveals(answer) or answer.status >= 500:
            wrong[operation.name] = (answer.status, answer.body[:300])

    assert wrong == {}


@pytest.mark.capability("S158")
async def test_naming_a_foreign_workspace_never_opens_it(world: World, described: list[Operation]) -> None:
    wrong = {}
    key = await key_of(world)

    for operation in described:
        if operation.is_public:
            continue
        attempt = fill(operation, world.hers, world.hers)
        for caller in (await world.bob.at(None), key):
            answers = []
            for place in (world.hers["workspace_id"], new_id()):
                there = fill(operation, world.hers | {"workspace_id": place}, world.hers)
                answers.append(await there.send(caller, {"X-Workspace-ID": str(place)}))
                answers.append(await replace(there, query=there.query | {"workspace_id": str(place)}).send(caller))
            if {(answer.status, answer.code) for answer in answers} != {(403, "not_a_member")}:
                wrong[f"{operation.name} {attempt.path}"] = [(answer.status, answer.code) for answer in answers]
            if len({said_by(answer, attempt)[2] for answer in answers if answer.status >= 400}) > 2:
                wrong[f"{operation.name} says"] = [answer.body for answer in answers]

    assert wrong == {}


async def key_of(world: World) -> Client:
    bob = await world.bob.at(world.bob.home)
    answer = await bob.post("/api/api-keys", json={"name": "robot", "role": "admin"})
    assert answer.status == 201, answer.body
    return Client(world.bob.http, world.bob.home, {"X-API-Key": answer.json()["key"]})


async def test_viewers_change_nothing(world: World, described: list[Operation]) -> None:
    vic, wrong = await world.vic.at(world.hers["workspace_id"]), {}

    for operation in described:
        if operation.is_public or operation.method == "GET" or operation.name in WRITES_OF_ANYBODY:
            continue
        answer = await fill(operation, world.hers, world.hers).send(vic)
        if answer.status != 403:
            wrong[operation.name] = (answer.status, answer.body[:300])

    assert wrong == {}


async def test_without_a_credential_only_public_routes_answer(world: World, described: list[Operation]) -> None:
    nobody, wrong = Client(world.bob.http, world.bob.home), {}

    for operation in described:
        for headers in ({}, {"X-Workspace-ID": str(world.hers["workspace_id"])}):
            answer = await fill(operation, world.hers, world.hers | {"invitation_token": "x"}).send(nobody, headers)
            if operation.is_public:
                right = answer.status < 500 and not world.reveals(answer)
            else:
                right = (answer.status, answer.code) == (401, "not_signed_in")
            if not right:
                wrong[operation.name] = (answer.status, answer.body[:300])

    assert wrong == {}


@pytest.mark.capability("S159")
async def test_all_workspaces_are_for_system_admins_reading(world: World, described: list[Operation]) -> None:
    bob, root, wrong = await world.bob.at("__all__"), await world.root.at("__all__"), {}
    across = set()

    for operation in described:
        if operation.is_public:
            continue
        refused, admitted = [
            await fill(operation, world.hers | {"workspace_id": person.home}, world.hers).send(caller)
            for person, caller in ((world.bob, bob), (world.root, root))
        ]
        if (refused.status, refused.code) != (403, "all_workspaces_refused"):
            wrong[f"{operation.name} by a member"] = (refused.status, refused.body[:300])
        if admitted.status == 200 and operation.method == "GET":
            across.add(operation.name)
            assert shows_hers(world, operation, admitted), f"{operation.name} shows only one workspace for __all__"
        elif (admitted.status, admitted.code) != (403, "all_workspaces_refused"):
            wrong[f"{operation.name} by a system admin"] = (admitted.status, admitted.body[:300])

    assert wrong == {}
    assert across == {
        "GET /api/agents", "GET /api/agents/stats", "GET /api/audit", "GET /api/runs", "GET /api/usage/summary",
        "GET /api/workflow-recipes",
    }


@pytest.mark.capability("S159")
async def test_system_admins_see_one_workspace_until_they_ask_for_all(world: World) -> None:
    home, everywhere = await world.root.at(world.root.home), await world.root.at("__all__")

    for path in ("/api/agents", "/api/workflow-recipes", "/api/runs"):
        alone, across = [(await client.get(path)).json()["items"] for client in (home, everywhere)]
        assert {item["workspace_id"] for item in alone} <= {str(world.root.home)}
        assert {item["workspace_id"] for item in across} - {str(world.root.home)}
    assert (await home.get("/api/usage/summary")).json()["requests"] == 0


def shows_hers(world: World, operation: Operation, answer: Answer) -> bool:
    """Whether an answer to somebody who has used nothing shows Ada's things, or counts them in."""
    if operation.name == "GET /api/usage/summary":
        return answer.json()["requests"] > 0
    if operation.name == "GET /api/agents/stats":
        return answer.json()["total_agents"] > 0
    return bool(world.reveals(answer))


async def test_the_owner_reads_with_the_same_requests(world: World, described: list[Operation]) -> None:
    """Without this, every refusal above might be for a wrong id."""
    ada, wrong = await world.ada.at(world.hers["workspace_id"]), {}

    for operation in described:
        if operation.method == "GET" and operation.name not in OF_THE_SERVER:
            answer = await fill(operation, world.hers, world.hers).send(ada)
            if answer.status != 200:
                wrong[operation.name] = (answer.status, answer.body[:300])

    assert wrong == {}


async def test_the_owner_writes_with_the_same_requests(world: World, described: list[Operation]) -> None:
    """The last test of this module: it changes and deletes what the others look for."""
    ada, wrong = await world.ada.at(world.hers["workspace_id"]), {}
    writes = [each for each in described if each.method != "GET" and not each.is_public and each.name not in NOT_SENT]

    for operation in sorted(writes, key=lambda each: (each.method == "DELETE", each.path.endswith("cancel"))):
        answer = await fill(operation, world.hers, world.hers).send(ada)
        if answer.status >= 400 and answer.status != 409 and answer.code not in NOT_FOR_HER:
            wrong[operation.name] = (answer.status, answer.body[:300])

    assert wrong == {}


NOT_SENT = {
    "POST /api/auth/sign-out-everywhere",  # nothing of hers would be let in after it
    "POST /api/workspaces/{workspace_id}/members/{user_id}/readmit",  # nobody was put out
}

NOT_FOR_HER = {
    "wrong_password",  # the password she changes is not the one she has
    "git_refused",  # a repository at an address that this server does not ask
    "system_admin_required",  # the catalogue of models is the whole server's
    "setup_refused",  # she does not have the link that the server printed
    "token_required",  # a cookie is not traded for a cookie
    "invitation_invalid",  # the open invitation is somebody else's
}
