"""Tokens of an identity provider: a good one is accepted, every bent one refused, first sight makes the account."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from pydantic import SecretStr

from automatos.kernel.db import Scope
from automatos.workspaces import queries
from automatos.workspaces.claims import clerk_host
from automatos.workspaces.types import Carrier, Presented, Role
from tests.fakes.issuer import Issuer, SigningKey
from tests.workspaces.conftest import Build, House, problem

ME = "/api/auth/me"
FORGER = SigningKey.rsa("first")


@pytest.fixture
def trusting(build: Build, issuer: Issuer) -> House:
    """A server that trusts the issuer's tokens of its own web app."""
    return build(jwks_url=issuer.jwks_url, jwt_issuer=issuer.url, jwt_audience="",
                 jwt_authorized_parties=("http://localhost:3000",))


def subject() -> str:
    return f"user_{uuid4().hex}"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.capability("S155")
@pytest.mark.capability("S156")
async def test_good_token_is_accepted(trusting: House, issuer: Issuer) -> None:
    answer = await trusting.client.get(ME, headers=bearer(issuer.token(sub=subject())))

    assert answer.status_code == 200
    assert answer.json()["auth_method"] == "jwt"


@pytest.mark.capability("S156")
async def test_elliptic_key_is_accepted_and_a_rotated_key_is_fetched_once(trusting: House, issuer: Issuer) -> None:
    issuer.keys = [SigningKey.elliptic("curve")]
    for _ in range(3):
        assert (await trusting.client.get(ME, headers=bearer(issuer.token(sub=subject())))).status_code == 200

    assert issuer.fetches == 1


def hs256_with_public_key(issuer: Issuer) -> str:
    """Sign by hand what libraries refuse to sign: HMAC with the published public key as the secret."""
    def part(value: dict[str, Any]) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    text = part({"alg": "HS256", "typ": "JWT", "kid": "first"}) + b"." + part(issuer.claims())
    signature = hmac.new(issuer.keys[0].public_pem.encode(), text, hashlib.sha256).digest()
    return (text + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def tampered(issuer: Issuer) -> str:
    head, _, signature = issuer.token().split(".")
    body = issuer.token(sub="user_admin").split(".")[1]
    return f"{head}.{body}.{signature}"


BENT: dict[str, Callable[[Issuer], str]] = {
    "expired": lambda i: i.token(exp=int(time.time()) - 11),
    "issued in the future": lambda i: i.token(iat=int(time.time()) + 60),
    "not yet valid": lambda i: i.token(nbf=int(time.time()) + 60),
    "wrong issuer": lambda i: i.token(iss="https://evil.example"),
    "issuer with a suffix": lambda i: i.token(iss=f"{i.url}.evil.example"),
    "issuer with two slashes": lambda i: i.token(iss=f"{i.url}//"),
    "wrong azp": lambda i: i.token(azp="http://evil.example"),
    "no azp": lambda i: i.token(azp=None),
    "other key under a known id": lambda i: i.token(key=FORGER),
    "unknown key id": lambda i: i.token(kid="second"),
    "HS256 with the public key": hs256_with_public_key,
    "alg none": lambda i: jwt.encode(i.claims(), None, "none", headers={"kid": "first"}),
    "no exp": lambda i: i.token(exp=None),
    "no iat": lambda i: i.token(iat=None),
    "no sub": lambda i: i.token(sub=None),
    "empty sub": lambda i: i.token(sub=""),
    "long sub": lambda i: i.token(sub="x" * 256),
    "no key id, signed by another key": lambda i: jwt.encode(i.claims(), FORGER.private, "RS256"),
    "an odd key id": lambda i: i.token(kid="\x00"),
    "body of another token": tampered,
    "two parts": lambda i: i.token().rpartition(".")[0],
    "not a token": lambda _: "a.b.c",
}


@pytest.mark.parametrize("bent", BENT)
@pytest.mark.parametrize("require_auth", [True, False])
@pytest.mark.capability("S156")
async def test_bent_token_is_refused(build: Build, issuer: Issuer, bent: str, require_auth: bool) -> None:
    house = build(jwks_url=issuer.jwks_url, jwt_issuer=issuer.url, require_auth=require_auth,
                  jwt_authorized_parties=("http://localhost:3000",))
    answer = await house.client.get(ME, headers=bearer(BENT[bent](issuer)))

    assert problem(answer) == (401, "invalid_credential")


@pytest.mark.parametrize("bare", [True, False])
async def test_a_slash_at_the_issuers_end_is_nobodys_fault(build: Build, issuer: Issuer, bare: bool) -> None:
    house = build(jwks_url=issuer.jwks_url, jwt_issuer=issuer.url if bare else f"{issuer.url}/")

    for said in (issuer.url, f"{issuer.url}/"):
        answer = await house.client.get(ME, headers=bearer(issuer.token(sub=subject(), iss=said)))
        assert answer.status_code == 200


@pytest.mark.capability("S156")
async def test_ids_of_keys_may_be_left_out_where_there_is_one_key(trusting: House, issuer: Issuer) -> None:
    def unnamed() -> str:
        return jwt.encode(issuer.claims(sub=subject()), issuer.keys[0].private, issuer.keys[0].algorithm)

    assert (await trusting.client.get(ME, headers=bearer(unnamed()))).status_code == 200
    assert issuer.fetches == 1


@pytest.mark.capability("S156")
async def test_among_several_keys_the_token_must_name_its_own(trusting: House, issuer: Issuer) -> None:
    issuer.keys.append(SigningKey.elliptic("curve"))
    unnamed = jwt.encode(issuer.claims(sub=subject()), issuer.keys[0].private, "RS256")

    assert problem(await trusting.client.get(ME, headers=bearer(unnamed))) == (401, "invalid_credential")


@pytest.mark.capability("S156")
async def test_an_edwards_key_without_an_id_is_accepted(trusting: House, issuer: Issuer) -> None:
    issuer.keys = [SigningKey("", ed25519.Ed25519PrivateKey.generate(), "EdDSA")]
    named = jwt.encode(issuer.claims(sub=subject()), issuer.keys[0].private, "EdDSA", headers={"kid": "of the token"})

    assert (await trusting.client.get(ME, headers=bearer(named))).status_code == 200


async def test_leeway_is_ten_seconds(trusting: House, issuer: Issuer) -> None:
    late = issuer.token(sub=subject(), exp=int(time.time()) - 5)

    assert (await trusting.client.get(ME, headers=bearer(late))).status_code == 200


async def test_audience_is_checked_when_it_is_set(build: Build, issuer: Issuer) -> None:
    house = build(jwks_url=issuer.jwks_url, jwt_issuer=issuer.url, jwt_audience="automatos")

    good = await house.client.get(ME, headers=bearer(issuer.token(sub=subject(), aud=["x", "automatos"])))
    assert good.status_code == 200
    for aud in ("other", None):
        assert problem(await house.client.get(ME, headers=bearer(issuer.token(aud=aud))))[0] == 401


@pytest.mark.parametrize("escaped", [False, True])
async def test_key_from_the_settings_needs_no_network(build: Build, issuer: Issuer, escaped: bool) -> None:
    pem = issuer.keys[0].public_pem
    house = build(jwt_key=SecretStr(pem.replace("\n", "\\n") if escaped else pem), jwt_issuer=issuer.url)

    assert (await house.client.get(ME, headers=bearer(issuer.token(sub=subject())))).status_code == 200
    curve = SigningKey.elliptic("first")
    for bent in (issuer.token(key=FORGER), hs256_with_public_key(issuer), issuer.token(key=curve)):
        assert problem(await house.client.get(ME, headers=bearer(bent)))[0] == 401
    assert issuer.fetches == 0


async def test_unknown_key_ids_do_not_hammer_the_issuer(trusting: House, issuer: Issuer) -> None:
    await asyncio.gather(*(
        trusting.client.get(ME, headers=bearer(issuer.token(kid=f"unknown-{n}"))) for n in range(20)
    ))

    assert issuer.fetches == 1


async def test_issuer_that_is_down_is_said_and_not_taken_for_a_bad_token(trusting: House, issuer: Issuer) -> None:
    issuer.is_down = True
    answers = [await trusting.client.get(ME, headers=bearer(issuer.token())) for _ in range(3)]

    assert {problem(answer) for answer in answers} == {(503, "issuer_unavailable")}
    assert answers[0].headers["retry-after"]
    assert issuer.fetches == 1


async def test_without_an_issuer_no_token_is_accepted(house: House, issuer: Issuer) -> None:
    assert problem(await house.client.get(ME, headers=bearer(issuer.token())))[0] == 401


def test_publishable_key_names_its_host() -> None:
    encoded = base64.b64encode(b"clerk.example.org$").decode().rstrip("=")

    assert clerk_host(f"pk_test_{encoded}") == "clerk.example.org"
    assert [clerk_host(bad) for bad in (None, "", "pk_test_", "pk_test_ä")] == [None] * 4
    assert clerk_host("pk_live_" + base64.b64encode(b"evil.example/x?$").decode()) is None


@pytest.mark.capability("S161")
async def test_first_sight_makes_account_personal_workspace_and_ownership(trusting: House, issuer: Issuer) -> None:
    token = issuer.token(sub=subject(), name="Grace")

    me = (await trusting.client.get(ME, headers=bearer(token))).json()
    place = await trusting.client.get(f"/api/workspaces/{me['workspace_id']}", headers=bearer(token))

    assert (me["user"]["name"], me["user"]["email"], me["role"]) == ("Grace", None, "owner")
    assert [each["is_personal"] for each in me["workspaces"]] == [True]
    assert place.json()["name"] == "Grace's Workspace"
    assert place.json()["plan_limits"] == {
        "max_agents": 10, "max_workflows": 10, "max_members": 5
    }


@pytest.mark.capability("S161")
async def test_first_sight_of_many_requests_at_once_makes_one_account(trusting: House, issuer: Issuer) -> None:
    token = issuer.token(sub=subject(), email=f"{subject()}@example.org", email_verified=True)

    answers = await asyncio.gather(*(trusting.client.get(ME, headers=bearer(token)) for _ in range(8)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["user"]["id"] for answer in answers}) == 1
    assert {len(answer.json()["workspaces"]) for answer in answers} == {1}


async def test_email_of_a_token_never_takes_over_an_account_with_a_password(trusting: House, issuer: Issuer) -> None:
    email = f"{subject()}@example.org"
    local = await add_user(trusting, email=email, password_hash="$argon2id$x")

    token = issuer.token(sub=subject(), email=email, email_verified=True)
    me = (await trusting.client.get(ME, headers=bearer(token))).json()

    assert me["user"]["id"] != local
    assert me["user"]["email"] is None


@pytest.mark.parametrize(("verified", "merges"), [
    (True, True), ("true", True), ("True", True), (1, True), (False, False), (None, False), ("false", False),
    ("yes", False),
    (0, False), ([True], False),
])
async def test_verified_email_joins_an_account_that_has_no_way_in(
    trusting: House, issuer: Issuer, verified: Any, merges: bool
) -> None:
    email = f"{subject()}@example.org"
    waiting = await add_user(trusting, email=email)

    token = issuer.token(sub=subject(), email=email, email_verified=verified)
    me = (await trusting.client.get(ME, headers=bearer(token))).json()

    assert (me["user"]["id"] == waiting) is merges
    assert me["role"] == "owner"


async def test_claims_that_cannot_be_stored_are_cleaned_or_refused(trusting: House, issuer: Issuer) -> None:
    odd = issuer.token(sub=subject(), name="Gra\x00ce\ud800", email="a\x00@example.org", email_verified=True,
                       o={"id": f"org_{uuid4().hex}", "rol": 7, "slg": "\x00"})

    me = (await trusting.client.get(ME, headers=bearer(odd))).json()

    assert (me["user"]["name"], me["user"]["email"], me["role"]) == ("Grace", None, "viewer")
    assert problem(await trusting.client.get(ME, headers=bearer(issuer.token(sub="a\x00b"))))[0] == 401


async def test_email_of_another_identity_is_not_taken_over(trusting: House, issuer: Issuer) -> None:
    email = f"{subject()}@example.org"
    tokens = [issuer.token(sub=subject(), email=email, email_verified=True) for _ in range(2)]

    first, second = [(await trusting.client.get(ME, headers=bearer(token))).json() for token in tokens]

    assert (first["user"]["email"], second["user"]["email"]) == (email, None)


async def add_user(house: House, **values: Any) -> int:
    async with house.database.session(None, Scope.AUTH) as session:
        user = await queries.insert_user(session, **values)
        assert user
        return user.id


@pytest.mark.capability("S162")
@pytest.mark.parametrize(("given", "role"), [
    ("admin", Role.OWNER), ("org:admin", Role.OWNER), ("org:member", Role.EDITOR), ("viewer", Role.VIEWER),
    ("org:superuser", Role.VIEWER), ("", Role.VIEWER),
])
async def test_organisation_of_a_token_is_its_workspace(
    trusting: House, issuer: Issuer, given: str, role: Role
) -> None:
    organisation = {"id": f"org_{uuid4().hex}", "rol": given, "slg": "acme"}

    me = (await trusting.client.get(ME, headers=bearer(issuer.token(sub=subject(), o=organisation)))).json()

    assert me["role"] == role
    assert [place["is_personal"] for place in me["workspaces"]] == [True, False]
    assert me["workspace_id"] == me["workspaces"][1]["id"]


@pytest.mark.capability("S162")
async def test_provider_decides_who_is_in_its_organisation(trusting: House, issuer: Issuer) -> None:
    boss, person, org = subject(), subject(), f"org_{uuid4().hex}"

    async def me(sub: str, role: str | None, **headers: str) -> Any:
        claim = None if role is None else {"id": org, "rol": role, "slg": "acme"}
        return await trusting.client.get(ME, headers=bearer(issuer.token(sub=sub, o=claim)) | headers)

    place = (await me(boss, "admin")).json()["workspace_id"]
    raised = (await me(person, "admin")).json()
    lowered = (await me(person, "viewer")).json()
    without = await me(person, None, **{"X-Workspace-ID": place})
    changed = await trusting.client.patch(
        f"/api/workspaces/{place}/members/{raised['user']['id']}", json={"role": "editor"},
        headers=bearer(issuer.token(sub=boss, o={"id": org, "rol": "admin"})),
    )

    assert (raised["workspace_id"], raised["role"], lowered["role"]) == (place, "admin", "viewer")
    assert problem(without) == (403, "not_a_member")
    assert problem(changed) == (409, "managed_elsewhere")


async def test_token_is_traded_for_a_short_cookie_that_cannot_prolong_itself(trusting: House, issuer: Issuer) -> None:
    traded = await trusting.client.post("/api/auth/session", headers=bearer(issuer.token(sub=subject())))
    cookie = {"Cookie": traded.headers["set-cookie"].partition(";")[0], "X-Requested-With": "automatos"}

    assert traded.json()["auth_method"] == "session"
    assert (await trusting.client.get(ME, headers=cookie)).json()["user"] == traded.json()["user"]
    assert problem(await trusting.client.post("/api/auth/session", headers=cookie)) == (403, "token_required")


async def test_role_of_a_token_is_asked_anew_on_open_streams(trusting: House, issuer: Issuer) -> None:
    owner, token = await trusting.person("owner"), issuer.token(sub=subject())
    place = await trusting.shared(owner)
    user_id = (await trusting.client.get(ME, headers=bearer(token))).json()["user"]["id"]
    async with trusting.database.session(place) as session:
        await queries.put_member(session, place, user_id, Role.EDITOR)
    gate = trusting.app.state.services.authenticator
    caller = await gate.authenticate(Presented(Carrier.BEARER, token, place))

    before = await gate.is_still_allowed(caller)
    await trusting.client.delete(f"/api/workspaces/{place}/members/{user_id}", headers=owner.cookie)

    assert (before, await gate.is_still_allowed(caller)) == (True, False)
    assert problem(await trusting.client.get("/probe/viewer", headers=bearer(token) | {"X-Workspace-ID": str(place)})) \
        == (403, "not_a_member")
