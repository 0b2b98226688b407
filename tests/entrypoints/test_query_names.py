"""Query parameters that a route does not know are refused, whatever the route."""

import pytest

from tests.surface import Client


def faults(body: dict) -> list[tuple[str, str]]:
    return [(each["in"], each["field"]) for each in body["errors"]]


@pytest.mark.parametrize(("path", "name", "near"), [
    ("/api/agents?statu=active", "statu", "status"),
    ("/api/agents?Status=active", "Status", "status"),
    ("/api/audit?limits=5", "limits", "limit"),
    ("/api/workflow-recipes?workspaceid=1", "workspaceid", "workspace_id"),
])
async def test_a_misspelt_parameter_is_named_with_the_one_that_was_meant(client: Client, path, name, near) -> None:
    answer = await client.get(path)

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert faults(answer.json()) == [("query", name)]
    assert near in answer.json()["detail"]


async def test_each_unknown_parameter_is_listed_once_beside_known_ones(client: Client) -> None:
    answer = await client.get("/api/agents?status=active&foo=1&foo=2&bar=")

    assert answer.status == 422
    assert faults(answer.json()) == [("query", "foo"), ("query", "bar")]


async def test_a_change_with_an_unknown_parameter_changes_nothing(client: Client, make) -> None:
    agent = await make.agent("Kept")

    answer = await client.delete(f"/api/agents/{agent['id']}?force=true")

    assert answer.status == 422
    assert (await client.get(f"/api/agents/{agent['id']}")).status == 200


async def test_public_routes_and_streams_refuse_them_too(client: Client) -> None:
    assert (await client.get("/health?deep=1")).status == 422
    assert (await client.get("/api/events?topic=runs")).status == 422
    assert (await client.get("/api/auth/config?workspace_id=x")).status == 422


async def test_every_documented_parameter_and_the_workspace_are_taken(client: Client) -> None:
    description = (await client.get("/api/openapi.json")).json()
    lists = {path: entry["get"] for path, entry in description["paths"].items() if "{" not in path and "get" in entry}

    for path, operation in lists.items():
        names = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
        for name in [*names, "workspace_id"] if operation.get("security") else names:
            if path.endswith("events"):
                continue
            answer = await client.get(path, params={name: str(client.workspace_id)})
            unknown = [each for each in answer.json().get("errors", ()) if "not a query parameter" in each["reason"]]
            assert unknown == [], (path, name)


async def test_what_a_page_is_opened_with_is_not_ours_to_judge(client: Client) -> None:
    answer = await client.get("/?utm_source=newsletter", headers={"Accept": "text/html"})

    assert answer.status == 200
