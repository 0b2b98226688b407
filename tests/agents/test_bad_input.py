"""Bad input to the agents routes gets a clear refusal that names the field, and leaves nothing behind."""

from typing import Any

import pytest

from tests.agents.conftest import AgentDeps

LONG = "x" * 10_000_000

WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "name"), ({"name": None}, "name"), ({"name": ""}, "name"), ({"name": "   "}, "name"), ({"name": 5}, "name"),
    ({"name": "x" * 256}, "name"), ({"name": "a\nb"}, "name"), ({"name": LONG}, "name"), ({"name": ["a"]}, "name"),
    ({"agent_type": "wizard"}, "agent_type"), ({"marketplace_category": "Magic"}, "marketplace_category"),
    ({"description": 5}, "description"), ({"description": LONG}, "description"), ({"tags": 5}, "tags"),
    ({"tags": ["a", 5]}, "tags"), ({"tags": {"a": 1}}, "tags"), ({"tags": [f"t{n}" for n in range(51)]}, "tags"),
    ({"tags": LONG}, "tags"), ({"tools": "calculator"}, "tools"), ({"tools": ["no_such_tool"]}, "no_such_tool"),
    ({"tools": [5]}, "tools"), ({"tools": ["calculator"], "configuration": {"tools": []}}, "tools"),
    ({"configuration": {"tools": ["rm"]}}, "rm"), ({"configuration": []}, "configuration"),
    ({"configuration": {"priority_level": "urgent"}}, "priority_level"),
    ({"configuration": {"max_concurrent_tasks": 0}}, "max_concurrent_tasks"),
    ({"configuration": {"max_concurrent_tasks": 11}}, "max_concurrent_tasks"),
    ({"configuration": {"max_concurrent_tasks": "5"}}, "max_concurrent_tasks"),
    ({"configuration": {"max_concurrent_tasks": True}}, "max_concurrent_tasks"),
    ({"configuration": {"retry_attempts": -1}}, "retry_attempts"),
    ({"configuration": {"retry_attempts": 6}}, "retry_attempts"),
    ({"configuration": {"timeout_seconds": 59}}, "timeout_seconds"),
    ({"configuration": {"timeout_seconds": 3601}}, "timeout_seconds"),
    ({"configuration": {"environment": "moon"}}, "environment"),
    ({"configuration": {"logging_level": "loud"}}, "logging_level"),
    ({"configuration": {"auto_start": "yes"}}, "auto_start"),
    ({"configuration": {"max_iterations": 0}}, "max_iterations"),
    ({"configuration": {"resource_limits": {"memory_mb": "all"}}}, "memory_mb"), ({"configuration": {"wat": 1}}, "wat"),
    ({"configuration": {"tags": 5}}, "tags"), ({"model_config": {"provider": "demo"}}, "model_id"),
    ({"model_config": {"provider": "demo", "model_id": "demo", "temperature": 3}}, "temperature"),
    ({"model_config": {"provider": "demo", "model_id": "demo", "max_tokens": 0}}, "max_tokens"),
    ({"model_config": "demo"}, "model_config"), ({"use_custom_persona": 1}, "use_custom_persona"),
    ({"custom_persona_prompt": LONG}, "custom_persona_prompt"),
    ({"workspace_id": "00000000-0000-0000-0000-000000000000"}, "workspace_id"), ({"id": 7}, "id"),
    ({"created_by": "me"}, "created_by"), ({"version": 9}, "version"), ({"llm_config": None}, "llm_config"),
    ({"model_usage_stats": {}}, "model_usage_stats"), ({"description": "a\x00b"}, "NUL"),
    ({"tags": ["a\x00"]}, "NUL"), ({"configuration": {"a\x00": 1}}, "NUL"),
]


@pytest.mark.capability("S003")
@pytest.mark.parametrize(("body", "named"), WRONG, ids=[f"{number}-{named}" for number, (_, named) in enumerate(WRONG)])
async def test_a_wrong_field_is_named(desk: AgentDeps, body: dict[str, Any], named: str) -> None:
    agent = await desk.create("There")

    made = await desk.ask("POST", json={"name": "New"} | body if body else {})
    changed = await desk.ask("PUT", f"/{agent['id']}", json=body) if body else made

    for answer in (made, changed):
        assert answer.status_code == 422, answer.text[:500]
        assert answer.headers["content-type"] == "application/problem+json"
        assert named in answer.text
        assert len(answer.text) < 5000
    assert (await desk.ask("GET")).json()["total"] == 1
    assert (await desk.ask("GET", f"/{agent['id']}")).json() == agent


@pytest.mark.parametrize("body", [
    b"", b"[]", b"null", b"5", b'"x"', b"{", b'{"name": NaN}', b'{"name": "\\ud800"}', b'{"name": "\xff"}',
    b"[" * 50_000, b'{"name": "a", "configuration": ' + b'{"a":' * 100 + b"1" + b"}" * 101,
])
async def test_what_is_not_an_object_of_ours_is_refused(desk: AgentDeps, body: bytes) -> None:
    answer = await desk.ask("POST", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await desk.ask("GET")).json()["total"] == 0


@pytest.mark.parametrize(("names", "faults"), [(3, 3), (100, None), (80_000, 1)])
async def test_fields_of_nobody_are_named_and_a_flood_of_them_is_told_in_one_sentence(
    desk: AgentDeps, names: int, faults: int | None
) -> None:
    answer = await desk.ask("POST", json={"name": "Ada"} | {f"k{place}": place for place in range(names)})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    if faults is not None:
        assert len(answer.json()["errors"]) == faults
    if names == 80_000:
        assert "80,001 fields" in answer.text
    assert len(answer.text) < 20_000
    assert (await desk.ask("GET")).json()["total"] == 0


@pytest.mark.parametrize("agent_id", ["0", "-1", "x", "1.5", str(2**31), "9" * 400, "%00", "1%00", "null", "٣٤"])
async def test_an_id_that_cannot_be_is_refused(desk: AgentDeps, agent_id: str) -> None:
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/activate"), ("POST", "/deactivate")):
        answer = await desk.ask(method, f"/{agent_id}{path}", json={})
        assert answer.status_code in {404, 422}, (method, answer.text)


@pytest.mark.parametrize(
    "field", ["name", "agent_type", "status", "tags", "configuration", "tools", "use_custom_persona"]
)
async def test_null_does_not_clear_what_must_be_there(desk: AgentDeps, field: str) -> None:
    agent = await desk.create("Ada")
    answer = await desk.ask("PUT", f"/{agent['id']}", json={field: None})
    assert answer.status_code == 422
    assert field in answer.text


@pytest.mark.capability("S092")
@pytest.mark.parametrize("status", ["busy", "ACTIVE", "", 5, True, ["active"]])
async def test_a_status_that_does_not_exist_is_refused(desk: AgentDeps, status: Any) -> None:
    agent = await desk.create("Ada")
    answer = await desk.ask("PUT", f"/{agent['id']}", json={"status": status})
    assert answer.status_code == 422
    assert "status" in answer.text
