"""Who may do what, asked in every way there is: each carrier, sign-in required and not, foreign hosts and origins.

`MATRIX` is the list. Each row is sent to every operation of the API's description that it speaks of, by a cookie, by a
token of an identity provider and by an API key, to a server that requires sign-in and to one that does not.
"""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import UUID

import aiohttp
import asyncpg
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from automatos.entrypoints.api import create_app
from automatos.entrypoints.deferred import all_routes
from automatos.entrypoints.migrate import Migrated
from automatos.entrypoints.policy import policies_of
from automatos.entrypoints.services import Services
from automatos.kernel.config import Settings
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.workspaces import deps
from tests.fakes.issuer import running_issuer
from tests.surface import Answer, Client, serving
from tests.tenancy.attempts import Operation, fill
from tests.tenancy.carriers import BEARER, CARRIERS, COOKIE, KEY, NOTHING, Cast
from tests.tenancy.conftest import fingerprint
from tests.tenancy.test_routes import OF_THE_SERVER, WRITES_OF_ANYBODY
from tests.tenancy.world import World

ABOVE = {deps.require_editor: "viewer", deps.require_admin: "editor", deps.read_across_as_admin: "editor",
         deps.require_owner: "admin", deps.require_system_admin: "owner"}
"""For each rule of a route, somebody who comes closest and must not get through."""

OF_PEOPLE = {"GET /api/auth/sessions"}
"""Reads that a key has no answer to."""

SIGN_IN = {"sign-in required": True, "sign-in off": False}
EVIL = "http://evil.example:8000"
OK, NOT_A_MEMBER, ROLE_TOO_LOW = (200, None), (403, "not_a_member"), (403, "role_too_low")
INVALID, NOT_SIGNED_IN, UNTRUSTED = (401, "invalid_credential"), (401, "not_signed_in"), (400, "untrusted_host")
NOT_FROM_HERE, NOT_SYSTEM_ADMIN = (403, "same_origin_required"), (403, "system_admin_required")
TOO_LOW = {ROLE_TOO_LOW, NOT_SYSTEM_ADMIN, (403, "grant_too_high")}

Said = tuple[int, str | None]


@dataclass(frozen=True)
class Row:
    """Who sends what, and what every operation answers; by carrier where that makes a difference."""

    who: str
    sends: Callable[[Operation], bool]
    answers: set[Said] | dict[str, set[Said]]
    changed: tuple[tuple[str, str], ...] = ()
    leaves_no_trace: bool = True
    least: int = 20

    def expected(self, carrier: str) -> set[Said]:
        return self.answers[carrier] if isinstance(self.answers, dict) else self.answers


def reads(operation: Operation) -> bool:
    return private(operation) and operation.method == "GET"


def writes(operation: Operation) -> bool:
    return private(operation) and operation.method != "GET"


def private(operation: Operation) -> bool:
    return not operation.is_public


def reads_of_members(operation: Operation) -> bool:
    return reads(operation) and operation.name not in OF_THE_SERVER | OF_PEOPLE


def reads_of_people(operation: Operation) -> bool:
    return operation.name in OF_PEOPLE


def writes_of_editors(operation: Operation) -> bool:
    """Without the one that asks for the server's printed link, whatever somebody's role in a workspace is."""
    return writes(operation) and operation.name not in WRITES_OF_ANYBODY | {"POST /api/setup/admin"}


def everything(_: Operation) -> bool:
    return True


MATRIX = {
    "an owner reads their own": Row("owner", reads_of_members, {OK}, leaves_no_trace=False),
    "a person reads what only people have": Row(
        "owner", reads_of_people, {COOKIE: {OK}, BEARER: {OK}, KEY: {(403, "person_required")}}, least=len(OF_PEOPLE)),
    "somebody else's workspace": Row("stranger", private, {NOT_A_MEMBER}),
    "a viewer writes": Row("viewer", writes_of_editors, TOO_LOW),
    "one role too low": Row("one below", private, TOO_LOW),
    "no credential": Row("nobody", private, {NOT_SIGNED_IN}),
    "an expired credential": Row("expired", private, {INVALID}),
    "a revoked credential, or an account switched off": Row("revoked", private, {INVALID}),
    "a member who left": Row("left", private, {COOKIE: {NOT_A_MEMBER}, BEARER: {NOT_A_MEMBER}, KEY: {INVALID}}),
    "a foreign host": Row("owner", everything, {UNTRUSTED}, (("Host", "evil.example:8000"), ("Origin", EVIL))),
    "a write from a foreign page": Row(
        "viewer", writes_of_editors, {COOKIE: {NOT_FROM_HERE}, BEARER: TOO_LOW, KEY: TOO_LOW}, (("Origin", EVIL),)),
    "a read from a foreign page": Row("stranger", reads, {NOT_A_MEMBER}, (("Origin", EVIL),)),
}
"""What must hold. A foreign page cannot send a token or a key that it does not have; it is never let read an answer."""

WITHOUT_CREDENTIAL = {
    ("no credential", "sign-in required"): {NOT_SIGNED_IN},
    ("no credential", "sign-in off"): {NOT_A_MEMBER},  # the owner of the default workspace, and of no other
    ("a foreign host", "sign-in required"): {UNTRUSTED}, ("a foreign host", "sign-in off"): {UNTRUSTED},
    ("a write from a foreign page", "sign-in required"): {NOT_FROM_HERE},
    ("a write from a foreign page", "sign-in off"): {NOT_FROM_HERE},
    ("a read from a foreign page", "sign-in required"): {NOT_SIGNED_IN},
    ("a read from a foreign page", "sign-in off"): {NOT_A_MEMBER},
}


@pytest.fixture(scope="module")
async def cast(world: World, database: Database) -> AsyncIterator[Cast]:
    async with running_issuer() as issuer:
        yield await Cast(world, database, issuer).gather()


@pytest.fixture(scope="module", params=SIGN_IN.values(), ids=SIGN_IN.keys())
async def server(
    request: pytest.FixtureRequest, cast: Cast, migrated: Migrated, settings: Settings
) -> AsyncIterator[aiohttp.ClientSession]:
    """A server that trusts the issuer, over the same database, with and without sign-in."""
    chosen = settings.model_copy(update={
        "require_auth": request.param, "rate_limit_signed_in": "100000/minute", "workspace_id": new_id(),
        "jwks_url": cast.issuer.jwks_url, "jwt_issuer": cast.issuer.url})
    services = Services(chosen, migrated.url, role=migrated.role, works=False)
    async with serving(create_app(services), services) as session:
        yield session


@pytest.fixture(scope="module")
def rules(app: FastAPI) -> dict[str, set[object]]:
    """The rules that each operation names, by its method and path."""
    return {f"{method} {route.path_format}": policies_of(getattr(route, "dependant", None))
            for route in iter_route_contexts(all_routes(app)) for method in route.methods or ()}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("case", [name for name in MATRIX if name != "no credential"])
async def test_every_operation_answers_by_whom_it_is_asked_and_not_by_which_way(
    case: str, carrier: str, cast: Cast, server: aiohttp.ClientSession, described: list[Operation],
    rules: dict[str, set[object]], superuser: asyncpg.Connection,
) -> None:
    row, wrong, tried = MATRIX[case], {}, 0
    before = await fingerprint(superuser, cast.place)

    for operation in filter(row.sends, described):
        who = row.who if row.who != "one below" else closest(rules[operation.name])
        if who is None:
            continue
        answer = await send(server, operation, cast.of(who, carrier) | dict(row.changed), cast.world)
        tried += 1
        if said(answer) not in row.expected(carrier) or lets_a_foreign_page_read(answer):
            wrong[operation.name] = (who, answer.status, answer.body[:300])

    assert wrong == {}
    assert tried >= row.least
    assert not row.leaves_no_trace or await fingerprint(superuser, cast.place) == before


@pytest.mark.parametrize("case", dict.fromkeys(case for case, _ in WITHOUT_CREDENTIAL))
async def test_every_operation_answers_nobody(
    case: str, cast: Cast, server: aiohttp.ClientSession, described: list[Operation], superuser: asyncpg.Connection,
    request: pytest.FixtureRequest,
) -> None:
    mode = next(mode for mode in SIGN_IN if mode in request.node.name)
    row, wrong = MATRIX[case], {}
    before = await fingerprint(superuser, cast.place)

    for operation in filter(row.sends, described):
        headers = {**cast.of("nobody", NOTHING), **dict(row.changed)}
        answer = await send(server, operation, headers, cast.world)
        if said(answer) not in WITHOUT_CREDENTIAL[case, mode] or lets_a_foreign_page_read(answer):
            wrong[operation.name] = (answer.status, answer.body[:300])

    assert wrong == {}
    assert await fingerprint(superuser, cast.place) == before


async def send(
    server: aiohttp.ClientSession, operation: Operation, headers: dict[str, str], world: World
) -> Answer:
    return await fill(operation, world.hers, world.hers).send(Client(server, UUID(int=0), headers))


def said(answer: Answer) -> Said:
    return (answer.status, answer.code) if answer.status >= 400 else (answer.status, None)


def lets_a_foreign_page_read(answer: Answer) -> bool:
    """Whether a browser would hand the answer to another site's page, or keep a new sign-in of it."""
    cookie = answer.headers.get("Set-Cookie", "")
    return "Access-Control-Allow-Origin" in answer.headers or re.match(r'automatos_session=(?!"")', cookie) is not None


def closest(rules: set[object]) -> str | None:
    """Return who comes closest to what an operation asks for and is too low; none where everybody may."""
    return next((who for rule, who in reversed(ABOVE.items()) if rule in rules), None)
