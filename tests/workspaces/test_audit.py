"""The audit log says who it was apart from what they are called, and writes out what nobody sees."""

from uuid import uuid4

import pytest

from automatos.kernel.db import Scope
from automatos.kernel.visible import visible
from tests.fakes.issuer import Issuer
from tests.workspaces.conftest import Build, House

CHOSEN = {
    "platform key": "platform key",
    "a\u200bda": "a[U+200B]da",
    "eve\u202eada": "eve[U+202E]ada",
    "\u3164": "[U+3164]",
    "\u05d0\u05d1\u05d2": "\u05d0\u05d1\u05d2",  # Hebrew reads as it is
    "Zo\u00eb O'Neill": "Zo\u00eb O'Neill",
}


@pytest.mark.parametrize(("name", "shown"), CHOSEN.items())
async def test_a_name_that_people_chose_is_told_from_who_they_are(house: House, name: str, shown: str) -> None:
    ada = await house.person("ada")
    async with house.database.recording(None, Scope.AUTH) as connection:
        await connection.execute("UPDATE users SET email = NULL, name = $1 WHERE id = $2", name, ada.id)
    key = await house.key(ada, ada.home, name="robot", role="admin")

    [entry] = (await house.client.get("/api/audit?action=api_key", headers=ada.cookie)).json()["items"]

    assert (entry["actor"], entry["actor_kind"], entry["user_id"]) == (shown, "person", ada.id)
    assert (entry["api_key_id"], entry["carrier"], entry["client_address"]) == (None, "cookie", "127.0.0.1")
    await house.client.delete(f"/api/api-keys/{key['id']}", headers={"X-API-Key": key["key"]})
    latest = (await house.client.get("/api/audit?action=api_key", headers=ada.cookie)).json()["items"][0]
    assert (latest["actor_kind"], latest["user_id"], latest["api_key_id"]) == ("api_key", None, key["id"])


async def test_names_inside_an_entry_are_written_out_too(house: House) -> None:
    ada = await house.person()
    await house.key(ada, ada.home, name="back\u200bup")

    [entry] = (await house.client.get("/api/audit?action=api_key", headers=ada.cookie)).json()["items"]

    assert entry["detail"]["name"] == "back[U+200B]up"


async def test_the_log_is_asked_by_account_key_way_and_address(build: Build, issuer: Issuer) -> None:
    house = build(jwks_url=issuer.jwks_url, jwt_issuer=issuer.url)
    ada = await house.person()
    sub = f"ada_{uuid4().hex}"
    async with house.database.recording(None, Scope.AUTH) as connection:
        await connection.execute(
            "UPDATE users SET issuer = $1, external_id = $2 WHERE id = $3", issuer.url, sub, ada.id)
    by_cookie = await house.key(ada, ada.home, name="by cookie", role="admin")
    key, token = {"X-API-Key": by_cookie["key"]}, {"Authorization": f"Bearer {issuer.token(sub=sub)}"}
    for name, headers in (("by key", key), ("by token", token)):
        assert (await house.client.post("/api/api-keys", json={"name": name}, headers=headers)).status_code == 201

    async def names(query: str) -> set[str]:
        found = await house.client.get(f"/api/audit?action=api_key&{query}", headers=ada.cookie)
        assert found.status_code == 200, found.text
        return {each["detail"]["name"] for each in found.json()["items"]}

    assert await names(f"user_id={ada.id}") == {"by cookie", "by token"}
    assert await names(f"api_key_id={by_cookie['id']}") == {"by key"}
    assert [await names(f"carrier={each}") for each in ("cookie", "api_key", "bearer", "server")] == [
        {"by cookie"}, {"by key"}, {"by token"}, set()]
    assert await names("client_address=127.0.0.1") == {"by cookie", "by key", "by token"}
    assert await names("client_address=10.0.0.1") == set()
    assert (await house.client.get("/api/audit?client_address='", headers=ada.cookie)).status_code == 422


@pytest.mark.parametrize("code", [0x202E, 0x2066, 0x200B, 0x200E, 0xAD, 0xFEFF, 0xE0041, 0x9B, 0x2028, 0x115F])
def test_what_nobody_sees_is_written_out(code: int) -> None:
    assert visible(f"a{chr(code)}b") == f"a[U+{code:04X}]b"
