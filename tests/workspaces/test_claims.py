"""What the providers' tokens say: the workspace, organisations old and new, times, and issuers told by their keys."""

import time
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from automatos.workspaces.claims import issuer_of_keys
from automatos.workspaces.errors import IssuerUnnamed
from tests.fakes.issuer import Issuer, SigningKey
from tests.workspaces.conftest import Build, House, problem

ME = "/api/auth/me"
TENANT = "11111111-2222-3333-4444-555555555555"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def house(build: Build, issuer: Issuer) -> House:
    return build(jwks_url=issuer.jwks_url, jwt_issuer=issuer.url)


async def new_place(house: House, headers: dict[str, str]) -> str:
    made = await house.client.post("/api/workspaces", json={"name": "Shared"}, headers=headers)
    assert made.status_code == 201, made.text
    return made.json()["id"]


@pytest.mark.capability("S207")
@pytest.mark.capability("S157")
async def test_header_then_query_then_claim_then_setting_then_personal(
    build: Build, house: House, issuer: Issuer
) -> None:
    sub = f"user_{uuid4().hex}"
    plain = bearer(issuer.token(sub=sub))
    own = (await house.client.get(ME, headers=plain)).json()["workspace_id"]
    first, second, third, fourth = [await new_place(house, plain) for _ in range(4)]
    configured = build(jwks_url=issuer.jwks_url, jwt_issuer=issuer.url, workspace_id=fourth)
    claiming = bearer(issuer.token(sub=sub, workspace_id=third))

    async def where(headers: dict[str, str], query: str = "", **more: str) -> str:
        return (await configured.client.get(ME + query, headers=headers | more)).json()["workspace_id"]

    assert await where(claiming, f"?workspace_id={second}", **{"X-Workspace-ID": first}) == first
    assert await where(claiming, f"?workspace_id={second}") == second
    assert await where(claiming) == third
    assert await where(plain) == fourth
    assert (await house.client.get(ME, headers=plain)).json()["workspace_id"] == own


@pytest.mark.capability("S207")
async def test_a_claim_opens_only_ones_own_workspaces(house: House, issuer: Issuer) -> None:
    eve, sub = await house.person("eve"), f"user_{uuid4().hex}"

    for place in (eve.home, uuid4()):
        answer = await house.client.get(ME, headers=bearer(issuer.token(sub=sub, workspace_id=str(place))))
        assert problem(answer) == (403, "not_a_member")
        agents = await house.client.get("/api/audit", headers=bearer(issuer.token(sub=sub, workspace_id=str(place))))
        assert problem(agents) == (403, "not_a_member")


@pytest.mark.capability("S207")
@pytest.mark.parametrize("claim", ["7", "null", "__all__", 7, True, [], {}, ["11111111-2222-3333-4444-555555555555"]])
async def test_a_claim_that_names_no_workspace_never_leads_to_another(house: House, issuer: Issuer, claim: Any) -> None:
    answer = await house.client.get(ME, headers=bearer(issuer.token(sub="x", workspace_id=claim)))

    assert problem(answer) == (401, "invalid_credential")
    assert "workspace_id" in answer.json()["detail"]


async def test_an_empty_claim_is_none(house: House, issuer: Issuer) -> None:
    token = issuer.token(sub=f"user_{uuid4().hex}", workspace_id="")

    assert (await house.client.get(ME, headers=bearer(token))).status_code == 200


async def test_a_traded_cookie_begins_in_the_workspace_of_the_token(house: House, issuer: Issuer) -> None:
    sub = f"user_{uuid4().hex}"
    place = await new_place(house, bearer(issuer.token(sub=sub)))

    traded = await house.client.post("/api/auth/session", headers=bearer(issuer.token(sub=sub, workspace_id=place)))

    assert traded.json()["workspace_id"] == place


@pytest.mark.capability("S162")
@pytest.mark.parametrize(("claims", "role"), [
    ({"o": {"id": "ORG", "rol": "admin", "slg": "acme"}}, "owner"),
    ({"org_id": "ORG", "org_role": "org:admin", "org_slug": "acme"}, "owner"),
    ({"org_id": "ORG", "org_role": "org:member", "org_slug": "acme"}, "editor"),
    ({"org_id": "ORG", "org_role": "org:accountant"}, "viewer"),
    ({"org_id": "ORG"}, "viewer"),
])
async def test_organisations_of_both_versions_of_clerks_tokens(
    house: House, issuer: Issuer, claims: dict[str, Any], role: str
) -> None:
    org = f"org_{uuid4().hex}"
    told: dict[str, Any] = {
        name: {**value, "id": org} if isinstance(value, dict) else value.replace("ORG", org)
        for name, value in claims.items()
    }

    me = (await house.client.get(ME, headers=bearer(issuer.token(sub=f"user_{uuid4().hex}", **told)))).json()

    assert me["role"] == role
    assert me["workspaces"][-1]["is_personal"] is False or any(not each["is_personal"] for each in me["workspaces"])


@pytest.mark.parametrize(("times", "words"), [
    ({"exp": -100}, ("expired 10", "this server's clock")),
    ({"exp": -4000}, ("expired 400", "this server's clock")),
    ({"nbf": 300, "iat": 300}, ("not valid for another", "clock of this server or of the identity provider")),
    ({"iat": 7200}, ("not valid for another 7", "NTP")),
])
async def test_a_clock_that_is_wrong_is_told_as_such(
    house: House, issuer: Issuer, times: dict[str, int], words: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    moment = int(time.time())
    token = issuer.token(sub="x", **{name: moment + ahead for name, ahead in times.items()})

    answer = await house.client.get(ME, headers=bearer(token))

    assert problem(answer) == (401, "invalid_credential")
    assert all(word in answer.json()["detail"] for word in words)
    assert "ahead_of_our_clock_s" in capsys.readouterr().err


async def test_another_issuer_is_told_beside_the_one_that_is_taken(house: House, issuer: Issuer) -> None:
    answer = await house.client.get(ME, headers=bearer(issuer.token(iss=f"{issuer.url}/realms/other")))

    assert f"{issuer.url}/realms/other" in answer.json()["detail"]
    assert house.settings.jwt_issuer in answer.json()["detail"]


@pytest.mark.parametrize(("keys", "issuer"), [
    ("https://clerk.example.com/.well-known/jwks.json", "https://clerk.example.com"),
    ("https://id.example.com/tenant/.well-known/jwks", "https://id.example.com/tenant"),
    ("https://id.example.com/realms/acme/protocol/openid-connect/certs", "https://id.example.com/realms/acme"),
    ("https://id.example.com/auth/realms/acme/protocol/openid-connect/certs", "https://id.example.com/auth/realms/acme"),
    ("https://id.example.com/application/o/automatos/jwks/", "https://id.example.com/application/o/automatos/"),
    (f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys",
     f"https://login.microsoftonline.com/{TENANT}/v2.0"),
    ("https://acme.okta.com/oauth2/default/v1/keys", "https://acme.okta.com/oauth2/default"),
    ("https://login.microsoftonline.com/common/discovery/v2.0/keys", None),
    ("https://id.example.com/keys", None),
    ("https://id.example.com/.well-known/jwks.json?x=1", None),
    (None, None),
])
def test_the_issuer_is_told_by_the_keys_address_of_a_well_known_form_only(keys: str | None, issuer: str | None) -> None:
    assert issuer_of_keys(keys) == issuer


@pytest.mark.parametrize("changed", [
    {"jwks_url": "https://id.example.com/keys"},
    {"jwks_url": "https://login.microsoftonline.com/common/discovery/v2.0/keys"},
    {"jwt_key": SecretStr(SigningKey.elliptic("k").public_pem)},
])
def test_keys_without_an_issuer_are_refused_at_the_start(build: Build, changed: dict[str, Any]) -> None:
    with pytest.raises(IssuerUnnamed, match="AUTOMATOS_JWT_ISSUER"):
        build(**changed)
