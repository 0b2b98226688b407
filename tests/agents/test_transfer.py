"""Agents leave as YAML documents and come back the same; what cannot come in is named, and nothing is left behind."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from automatos.agents.documents import read_definition, read_yaml, write_yaml
from automatos.agents.errors import DocumentsUnreadable
from automatos.kernel.ids import new_id
from automatos.workspaces.types import Role
from tests.agents.conftest import AgentDeps

SAME = ("name", "description", "agent_type", "marketplace_category", "tags", "configuration", "model_config", "tools",
        "custom_persona_prompt", "use_custom_persona", "persona", "skills")


async def exported(desk: AgentDeps, agent: dict[str, Any]) -> str:
    answer = await desk.ask("GET", f"/{agent['id']}/export")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/yaml")
    return answer.text


async def test_an_exported_agent_comes_back_the_same_in_another_workspace(desk: AgentDeps) -> None:
    skills = [await desk.skill("review", is_global=True), await desk.skill(f"own-{new_id().hex[-8:]}")]
    slug = f"coach-{new_id().hex[-8:]}"
    persona = await desk.persona(slug, is_global=True)
    agent = await desk.create(
        "Ada: the 1st", description="Line one\nLine two: - # 'quoted'\n", agent_type="security_expert",
        tags=["yes", "null", "1.0"], skill_ids=skills[:1], persona_id=persona, tools=["calculator", "research"],
        custom_persona_prompt="You are\n\n  Ada.  \n", use_custom_persona=False,
        configuration={"timeout_seconds": 90, "resource_limits": {"memory_mb": 64}, "priority_level": "high"},
        model_config={"provider": "demo", "model_id": "demo", "temperature": 0.25, "max_tokens": 10})
    text = await exported(desk, agent)

    document = yaml.safe_load(text)
    assert (document["apiVersion"], document["kind"], document["skills"]) == ("automatos/v1", "Agent", ["review"])
    assert document["persona"] == {"slug": slug, "custom_prompt": "You are\n\n  Ada.  \n", "use_custom": False}
    assert not {"id", "workspace_id", "status", "created_by"} & set(document)

    elsewhere = await desk.neighbour()
    done = await elsewhere.ask("POST", "/import", json={"yaml": text})
    assert (done.status_code, [one["action"] for one in done.json()["items"]]) == (200, ["created"])
    copy = (await elsewhere.ask("GET", f"/{done.json()['items'][0]['id']}")).json()
    assert {name: copy[name] for name in SAME} == {name: agent[name] for name in SAME}
    assert copy["status"] == "inactive"
    assert await exported(elsewhere, copy) == text
    again = await elsewhere.ask("POST", "/import", json={"documents": [document]})
    assert [one["action"] for one in again.json()["items"]] == ["unchanged"]
    changed = await elsewhere.ask("POST", "/import", json={"documents": [document | {"description": "New"}]})
    assert [one["action"] for one in changed.json()["items"]] == ["updated"]
    assert (await elsewhere.ask("GET", f"/{copy['id']}/versions")).json()["total"] == 2


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)
TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters=TURNING),
                min_size=1, max_size=40)
DEFINITIONS = st.fixed_dictionaries(
    {"name": NAMES.map(str.strip).filter(bool)},
    optional={
        "description": TEXTS, "tags": st.lists(NAMES.filter(lambda text: "," not in text), max_size=3),
        "persona": st.fixed_dictionaries(
            {}, optional={"slug": TEXTS, "custom_prompt": TEXTS, "use_custom": st.booleans()}),
        "skills": st.lists(TEXTS, max_size=3), "tools": st.lists(TEXTS, max_size=3),
        "model_config": st.fixed_dictionaries(
            {"provider": st.just("demo"),
             "model_id": st.sampled_from(["0x1", "1e3", "null", "~", "2024-01-01", "=", "<<", "1:30"])},
            optional={"temperature": st.floats(0, 2), "top_p": st.floats(0.01, 1)}),
        "configuration": st.fixed_dictionaries({}, optional={
            "timeout_seconds": st.integers(60, 3600), "auto_start": st.booleans(),
            "priority_level": st.sampled_from(["low", "critical"])}),
    })


@settings(max_examples=80, deadline=None)
@given(st.lists(DEFINITIONS, min_size=1, max_size=3))
def test_whatever_can_be_saved_survives_the_way_through_yaml(definitions: list[dict[str, Any]]) -> None:
    files = [read_definition(one) for one in definitions]
    plain = [file.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"configuration": {"tools"}})
             for file in files]
    written = write_yaml(plain)
    assert read_yaml(written) == plain
    assert [read_definition(one) for one in read_yaml(written)] == files


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\nname: x\n"

UNREADABLE = [
    (BOMB, "alias"), ("[" * 5000, "nested"), ("a: " * 3000, "line 1"), ("name: {", "line"), ("- a\n- b", "document 1"),
    ("name: Ada\nname: Eve", "twice"), ("name: !!python/object/apply:os.system [id]", "line 1"), ("", "yaml"),
    ("# nothing", "no document"), ("---\nname: A\n---\nname: a\n", "same agent"), ("name: [1]", "document 1: name"),
    ("name: A\nkind: Recipe", "kind"), ("name: A\napiVersion: automatos/v2", "apiVersion"),
    ("name: A\nstatus: active", "status: is not a field"),
    ("name: A\nconfiguration: {timeout_seconds: 5}", "timeout_seconds"),
    ("---\nname: A\n---\nname: B\ntags: 5", "document 2: tags"), ("name: A\n<<: {description: x}", "<<"),
    ("name: !!binary aGk=", "binary"), ("name: 2024-01-01\ntools: [rm]", "rm"), ("? [a]\n: b", "key"),
    ("name: A\nskills: [no-such]", "no-such"), ("name: A\npersona: {slug: nobody}", "nobody"),
    ("---\n" + "---\nname: A\n" * 101, "100 documents"), ("name: \x07", "yaml"), ("\ufeff%YAML 9.9\n--- {", "line"),
    ("name: A\nmodel_config: {provider: demo, model_id: demo, api_key: sk-1}", "api_key"),
    ("name: !!bool x", "value"), ("name: !!int ''", "value"), ("name: !!map [a]", "value"),
    ("name: !!float ''", "value"), ("name: " + "1:" * 300 + "1.5", "255"),
    ("name: " + "1:" * 200_000 + "1", "255"), ("name: 0x" + "f" * 900_000, "255"),
]


@pytest.mark.parametrize(("text", "named"), UNREADABLE, ids=[str(number) for number in range(len(UNREADABLE))])
async def test_a_document_that_cannot_come_in_is_refused_whole(desk: AgentDeps, text: str, named: str) -> None:
    answer = await desk.ask("POST", "/import", json={"yaml": text})
    assert answer.status_code == 422, answer.text
    assert named in answer.text
    assert len(answer.text) < 5000
    assert (await desk.ask("GET")).json()["total"] == 0


async def test_a_huge_text_is_refused(desk: AgentDeps) -> None:
    for text in ("name: A\ntags: [" + "a, " * 300_000 + "b]", "a:\n" * 300_000, "- " * 400_000):
        assert (await desk.ask("POST", "/import", json={"yaml": text})).status_code == 422
    assert (await desk.ask("POST", "/import", json={"yaml": "a" * 1_000_001})).status_code == 422


async def test_of_several_documents_all_come_in_or_none(desk: AgentDeps) -> None:
    good = {"name": "A"}
    refused = await desk.ask("POST", "/import", json={"documents": [good, {"name": "B", "tools": ["rm"]}]})
    assert (refused.status_code, refused.json()["document"]) == (422, 2)
    assert refused.json()["detail"].startswith("document 2: tools")
    assert (await desk.ask("GET")).json()["total"] == 0
    both = await desk.ask("POST", "/import", json={"yaml": "name: A\n---\nname: B\n"})
    assert [(one["name"], one["action"]) for one in both.json()["items"]] == [("A", "created"), ("B", "created")]


async def test_an_active_agent_is_not_imported_into_one_that_cannot_work(desk: AgentDeps) -> None:
    await desk.create("A", activate=True)
    refused = await desk.ask("POST", "/import", json={"documents": [{"name": "a", "tools": ["shell"]}]})
    assert (refused.status_code, refused.json()["code"]) == (409, "agent_not_ready")


@pytest.mark.parametrize("body", [{}, {"yaml": "name: A", "documents": [{"name": "A"}]}, {"documents": []}, {"yaml": 5},
                                  {"documents": [{"name": f"A{n}"} for n in range(101)]}, {"yaml": "a\x00b"}])
async def test_the_order_to_import_is_checked(desk: AgentDeps, body: dict[str, Any]) -> None:
    assert (await desk.ask("POST", "/import", json=body)).status_code == 422


async def test_viewers_export_and_do_not_import_and_strangers_see_nothing(desk: AgentDeps) -> None:
    agent = await desk.create("Ada")
    viewer = desk.as_role(Role.VIEWER)
    assert (await viewer.ask("GET", f"/{agent['id']}/export")).status_code == 200
    assert (await viewer.ask("POST", "/import", json={"yaml": "name: A"})).status_code == 403
    assert (await desk.elsewhere(new_id()).ask("GET", f"/{agent['id']}/export")).status_code == 404


def test_reading_says_where_the_text_is_wrong() -> None:
    with pytest.raises(DocumentsUnreadable, match="line 2, column"):
        read_yaml("name: A\n  b: c\n: :")
