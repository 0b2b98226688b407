"""What a credential came with is kept by no cache on the way, and nothing of the API unless its route says how."""

import pytest

from tests.surface import Client

KEY = {"name": "Mine", "key_type": "server", "role": "viewer"}


async def test_answers_that_carry_a_credential_are_kept_by_nobody(client: Client) -> None:
    made = await client.post("/api/api-keys", json=KEY)
    invited = await client.post(f"/api/workspaces/{client.workspace_id}/members/invite",
                                json={"email": "kim@example.org", "role": "viewer"})
    assert (made.status, invited.status) == (201, 201)
    assert made.json()["key"]
    assert invited.json()["token"]
    assert {each.headers["cache-control"] for each in (made, invited)} == {"no-store"}


@pytest.mark.parametrize("path", ["/api/agents", "/api/api-keys", "/api/credentials", "/api/credentials/types"])
async def test_nothing_that_needs_a_sign_in_is_kept_unless_its_route_says_how(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert answer.status == 200
    assert "no-store" in answer.headers.get("cache-control", "") or "etag" in answer.headers


async def test_an_answer_with_a_cookie_is_kept_by_nobody_wherever_it_lies(client: Client) -> None:
    """The sign-out takes a cookie away: an answer that a cache repeated would take away another person's."""
    answer = await client.post("/api/auth/sign-out")
    assert "automatos_session" in answer.headers["set-cookie"]
    assert answer.headers["cache-control"] == "no-store"
