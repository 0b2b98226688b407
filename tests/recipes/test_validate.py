"""What a definition may hold: each fault is refused with its place, before anything is saved."""

from typing import Any

import pytest

from automatos.recipes.definition import accept_inputs, as_text
from automatos.recipes.placeholders import find
from automatos.recipes.step_runner import fill
from tests.fakes.model_server import ModelServer
from tests.surface import Client, Make

BASE = "/api/workflow-recipes"


def definition(agent_id: int, *prompts: str, **fields: Any) -> dict[str, Any]:
    steps = [{"step_id": f"s{n}", "order": n, "agent_id": agent_id, "prompt_template": prompt}
             for n, prompt in enumerate(prompts, start=1)]
    return {"name": "Test", "steps": steps} | fields


async def faults(client: Client, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the faults that validation finds, having made sure that saving is refused for the same."""
    answer = await client.post(f"{BASE}/validate", json=body)
    assert answer.status == 200, answer.body
    found = answer.json()["faults"]
    assert answer.json()["is_valid"] is (not found)
    if found:
        saved = await client.post(BASE, json=body | {"template_id": "refused"})
        assert (saved.status, saved.code) == (422, "recipe_invalid")
        assert saved.json()["faults"] == found
        assert (await client.get(f"{BASE}/refused")).status == 404
    return found


async def test_an_unknown_placeholder_is_named_with_line_and_column(client: Client, make: Make) -> None:
    agent = await make.agent()

    found = await faults(client, definition(agent["id"], "Line one\nand {topic} here\n  {input.gone}"))

    assert [(fault["where"], fault["line"], fault["column"]) for fault in found] == [
        ("steps[0].prompt_template", 2, 5), ("steps[0].prompt_template", 3, 3)]
    assert "{topic} is unknown" in found[0]["message"]
    assert "{step_N_output}" in found[0]["message"]
    assert "{input.gone} is not a declared input" in found[1]["message"]


@pytest.mark.parametrize("name", ["two", "step_2_output", "one", "step_1_output", "previous_output"])
async def test_a_step_cannot_use_its_own_or_a_later_output(client: Client, make: Make, name: str) -> None:
    agent = await make.agent()
    body = definition(agent["id"], f"Use {{{name}}}", "Second")
    body["steps"][0]["output_key"], body["steps"][1]["output_key"] = "one", "two"

    found = await faults(client, body)

    assert [fault["where"] for fault in found] == ["steps[0].prompt_template"]


@pytest.mark.parametrize("field", ["order", "step_id", "output_key"])
async def test_what_names_a_step_is_used_once(client: Client, make: Make, field: str) -> None:
    agent = await make.agent()
    body = definition(agent["id"], "One", "Two")
    for step in body["steps"]:
        step |= {"output_key": f"key_{step['order']}"}
    body["steps"][1][field] = body["steps"][0][field]

    found = await faults(client, body)

    assert f"steps[1].{field}" in [fault["where"] for fault in found]


@pytest.mark.parametrize("key", ["previous_output", "step_7_output", "input"])
async def test_reserved_names_are_no_output_keys(client: Client, make: Make, key: str) -> None:
    agent = await make.agent()
    body = definition(agent["id"], "One")
    body["steps"][0]["output_key"] = key

    found = await faults(client, body)

    assert found[0]["where"] == "steps[0].output_key"
    assert "reserved" in found[0]["message"]


async def test_agents_of_another_workspace_and_absent_ones_are_refused_alike(
    client: Client, stranger: Client, make: Make
) -> None:
    foreign = await Make(stranger).agent()

    theirs = await faults(client, definition(foreign["id"], "One"))
    nobody = await faults(client, definition(2_000_000_000, "One"))

    assert theirs[0]["where"] == nobody[0]["where"] == "steps[0].agent_id"
    assert theirs[0]["message"].replace(str(foreign["id"]), "N") == nobody[0]["message"].replace("2000000000", "N")


async def test_a_default_must_be_of_its_inputs_type(client: Client, make: Make) -> None:
    agent = await make.agent()

    found = await faults(client, definition(
        agent["id"], "One", inputs={"count": {"type": "integer", "default": "many"}, "ok": {"default": "fine"}}))

    assert [(fault["where"], fault["message"]) for fault in found] == [("inputs.count.default", "must be a integer")]


async def test_faults_are_a_hundred_at_most_however_many_there_are(client: Client, make: Make) -> None:
    agent = await make.agent()

    found = await faults(client, definition(agent["id"], *["{x}\n" * 20_000] * 5))

    assert len(found) == 100
    assert found[-1]["line"] == 100


async def test_every_kind_of_placeholder_is_filled_and_doubled_braces_are_literal(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(
        {"prompt_template": "About {input.topic}: {{input.topic}} \\{literal} {{{input.topic}}}",
         "output_key": "facts"},
        {"prompt_template": "{facts}|{step_1_output}|{previous_output}|{ not a name }|{1}"},
        inputs={"topic": {"type": "string"}})

    run = await client.cooked(recipe["template_id"], topic="tea {facts}")
    first, second = (call.last_user_text for call in model_server.calls)

    assert first == "About tea {facts}: {input.topic} {literal} {tea {facts}}"
    fenced = f"<data>\n{run['steps'][0]['output']}\n</data>"
    assert second == f"{fenced}|{fenced}|{fenced}|{{ not a name }}|{{1}}"


@pytest.mark.capability("S139")
@pytest.mark.capability("S125")
async def test_inputs_fill_the_template_with_defaults_where_nothing_is_given(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(
        "{input.topic}, {input.count}, {input.deep}, {input.tags}, {input.extra}, [{input.nothing}]",
        inputs={"topic": {"type": "string", "required": True}, "count": {"type": "integer", "default": 3},
                "deep": {"type": "boolean", "default": False}, "tags": {"type": "array"},
                "extra": {"type": "object"}, "nothing": {"type": "string"}})

    run = await client.cooked(recipe["template_id"], topic="tea", tags=["a", 1], extra={"k": None})

    assert run["status"] == "completed"
    assert model_server.calls[0].last_user_text == 'tea, 3, false, ["a",1], {"k":null}, []'
    assert run["input_data"]["count"] == 3


@pytest.mark.parametrize(("given", "place"), [
    ({}, "input_data.topic"), ({"topic": None}, "input_data.topic"), ({"topic": 1}, "input_data.topic"),
    ({"topic": "x", "count": 1.5}, "input_data.count"), ({"topic": "x", "count": True}, "input_data.count"),
    ({"topic": "x", "other": 1}, "input_data.other"), ({"topic": ["x"]}, "input_data.topic"),
])
async def test_inputs_that_do_not_fit_are_refused_and_start_nothing(
    client: Client, make: Make, given: dict[str, Any], place: str
) -> None:
    recipe = await make.recipe("{input.topic} {input.count}", inputs={
        "topic": {"type": "string", "required": True}, "count": {"type": "integer"}})

    refused = await client.post(f"{BASE}/{recipe['template_id']}/execute", json={"input_data": given})

    assert (refused.status, refused.code) == (422, "inputs_invalid")
    assert [fault["where"] for fault in refused.json()["faults"]] == [place]
    assert (await client.get("/api/runs")).json()["total"] == 0


async def test_a_recipe_whose_agent_takes_no_work_does_not_start_and_names_it(client: Client, make: Make) -> None:
    paused = await make.agent("Sleeper", active=False)
    recipe = await make.recipe("Awake", {"agent_id": paused["id"], "prompt_template": "Asleep"})

    refused = await client.post(f"{BASE}/{recipe['template_id']}/execute", json={})

    assert (refused.status, refused.code) == (409, "recipe_not_ready")
    assert "Sleeper (inactive)" in refused.json()["detail"]
    assert (await client.get("/api/runs")).json()["total"] == 0


@pytest.mark.parametrize(("template", "positions"), [
    ("", []), ("plain", []), ("{{no}}", []), ("{a}", [("a", 1, 1)]),
    ("x{a}\n{b}y{c.d}", [("a", 1, 2), ("b", 2, 1), ("c.d", 2, 5)]),
    ("\n\n {a}", [("a", 3, 2)]), ("{a\n}", []), ("{{{a}}}", [("a", 1, 3)]), ("{", []), ("}{", []),
])
def test_placeholders_are_found_with_their_positions(template: str, positions: list[tuple[str, int, int]]) -> None:
    assert [(found.name, found.line, found.column) for found in find(template)] == positions


@pytest.mark.parametrize("text", [
    'Answer as {"a": {"b": {"c": 1}}}', "run ${{ secrets.TOKEN }} and ${{secrets.TOKEN}}",
    "Hello {{ name }} and {{name}}", "{{#each items}}{{{raw}}{{/each}}", "\\frac{{a+b}}{2}", "{{.Name}} {%- if x %}",
    "{{}} {} }}{{ {{{{x}}}}", "f'{{'", "{\n}",
])
def test_other_braces_arrive_as_they_are_written(text: str) -> None:
    assert list(find(text)) == []
    assert fill(text, {"a": "A"}) == text


@pytest.mark.parametrize(("template", "filled"), [
    ("", ""), ("{a}", "A"), ("say {a} and {b}.", "say A and B."), ("{{{a}}}", "{A}"), ("{{a}} is {a}", "{a} is A"),
    ("{{c}}", "{{c}}"), ("\\{c} {a}", "{c} A"), ("{{{a}}}{{{b}}}", "{A}{B}"), ("{{{a}}}{{b}}\\{a}{a}", "{A}{b}{a}A"),
])
def test_names_are_replaced_and_braces_that_are_doubled_or_escaped_lose_one_of_them(
    template: str, filled: str
) -> None:
    assert fill(template, {"a": "A", "b": "B"}) == filled


def test_what_is_put_in_is_not_looked_at_again() -> None:
    assert fill("{a}{b}", {"a": "{b}", "b": "{a} {{x}}"}) == "{b}{a} {{x}}"


@pytest.mark.parametrize(("value", "text"), [(None, ""), ("x", "x"), (1, "1"), (True, "true"), ([1, "ä"], '[1,"ä"]')])
def test_values_read_as_text(value: object, text: str) -> None:
    assert as_text(value) == text


def test_inputs_without_declarations_are_refused_by_name() -> None:
    assert accept_inputs({}, {"x": 1})[1] == [{"where": "input_data.x", "message": "the recipe declares no such input"}]
