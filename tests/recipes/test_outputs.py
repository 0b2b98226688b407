"""What a recipe declares that it gives: made of its steps' answers, checked at the end, shown with the run."""

from typing import Any

import pytest
import yaml

from automatos.recipes.outputs import MAX_CHARACTERS, produce
from automatos.recipes.types import Step
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make

BASE = "/api/workflow-recipes"
FIRST = Step("find", 1, 1, "Find", "facts")
LAST = Step("write", 2, 1, "Write", "report")

CASES: dict[str, tuple[dict[str, Any], str | None, str | None, Any]] = {
    "the step of its name": ({"facts": {}}, "three facts", "a report", "three facts"),
    "the step that from names by output": ({"x": {"from": "facts"}}, "three facts", "a report", "three facts"),
    "the step that from names by its id": ({"x": {"from": "write"}}, "three facts", "a report", "a report"),
    "the step that from names by its place": ({"x": {"from": "step_1_output"}}, "three", "a report", "three"),
    "the last answer": ({"x": {}}, "three facts", "a report", "a report"),
    "the last answer that there is": ({"x": {}}, "three facts", None, "three facts"),
    "a member of the last answer": ({"x": {}}, "f", '{"x": "inside", "y": 2}', "inside"),
    "the whole answer without that member": ({"x": {}}, "f", '{"y": 2}', '{"y": 2}'),
    "text of its own step stays as it is": ({"report": {}}, "f", '{"report": "inside"}', '{"report": "inside"}'),
    "a number": ({"x": {"type": "number"}}, "f", " 4.5\n", 4.5),
    "a number in a member": ({"x": {"type": "integer"}}, "f", '{"x": 4}', 4),
    "an object in a block of code": ({"report": {"type": "object"}}, "f", '```json\n{"a": [1]}\n```', {"a": [1]}),
    "a list": ({"facts": {"type": "array"}}, '["a", "b"]', "r", ["a", "b"]),
    "a boolean as people write it": ({"x": {"type": "boolean", "from": "write"}}, "f", "True", True),
    "a skipped step gives null": ({"facts": {"type": "number"}}, None, "r", None),
    "NUL cannot be stored": ({"report": {"type": "object"}}, "f", '{"a\\u0000": ["b\\u0000"]}', {"a": ["b"]}),
}


@pytest.mark.parametrize("case", CASES)
def test_an_output_is_made_of_the_answer_that_its_declaration_means(case: str) -> None:
    declared, first, last, expected = CASES[case]

    made, faults = produce(declared, [(FIRST, first), (LAST, last)])

    assert (made, faults) == (dict.fromkeys(declared, expected), [])


@pytest.mark.parametrize(("spec", "answer"), [
    ({"type": "number"}, "about four"), ({"type": "integer"}, "4.5"), ({"type": "number"}, "true"),
    ({"type": "object"}, "[1]"), ({"type": "array"}, "[1, 2"), ({"type": "string"}, '{"x": 7}'),
    ({"type": "boolean"}, "1"), ({"type": "object"}, "[" * 100_000), ({"required": True, "from": "find"}, "r"),
])
def test_what_is_not_as_declared_is_a_fault_and_the_others_are_kept(spec: dict[str, Any], answer: str) -> None:
    made, faults = produce({"x": spec, "report": {}}, [(FIRST, None), (LAST, answer)])

    assert len(faults) == 1
    assert faults[0].startswith("x: ")
    assert made["report"] == answer
    assert made.get("x") is None


def test_outputs_that_all_repeat_a_long_answer_are_bounded() -> None:
    long = "x" * (MAX_CHARACTERS // 2)

    made, faults = produce({name: {} for name in "abcdef"}, [(LAST, long)])

    assert list(made) == ["a", "b"]
    assert faults == [f"c: the outputs together are longer than {MAX_CHARACTERS:,} characters"]


@pytest.mark.capability("S141")
async def test_a_run_shows_its_declared_outputs_and_every_step_by_its_output_key(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(
        {"prompt_template": "Gather", "output_key": "facts"}, {"prompt_template": "Judge {facts}", "output_key": "all"},
        outputs={"facts": {"description": "What is known"}, "score": {"type": "number"}})
    model_server.script(Reply(text="it rains"), match="Gather")
    model_server.script(Reply(text='{"score": 7, "why": "wet"}'), match="Judge")

    run_id = await client.cook(recipe["template_id"])
    events = await client.follow(run_id)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    assert run["status"] == "completed"
    assert run["step_outputs"] == {"facts": "it rains", "all": '{"score": 7, "why": "wet"}'}
    assert run["output_data"]["outputs"] == events[-1]["data"]["outputs"] == {"facts": "it rains", "score": 7}
    assert run["output_data"]["final_output"] == run["step_outputs"]["all"]


@pytest.mark.capability("S141")
async def test_a_run_that_does_not_give_what_its_recipe_declares_has_failed_and_says_what_is_wrong(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(
        {"prompt_template": "Gather", "output_key": "facts"}, {"prompt_template": "Judge {facts}"},
        outputs={"facts": {}, "score": {"type": "number", "from": "step_2"}})
    model_server.script(Reply(text="it rains"), match="Gather")
    model_server.script(Reply(text="rather wet"), match="Judge")

    run_id = await client.cook(recipe["template_id"])
    events = await client.follow(run_id)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    assert (run["status"], run["error"]["code"]) == ("failed", "output_invalid")
    assert "score: the answer is no number" in run["error"]["message"]
    assert run["error"]["next_step"]
    assert [step["status"] for step in run["steps"]] == ["completed", "completed"]
    assert run["output_data"]["outputs"] == {"facts": "it rains"}
    assert (events[-1]["type"], events[-1]["data"]["error"]) == ("execution.failed", run["error"])


async def test_a_skipped_step_leaves_its_output_empty_and_the_run_complete(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(
        {"prompt_template": "Gather", "output_key": "facts", "error_handling": "skip"},
        {"prompt_template": "Write", "output_key": "text"},
        execution_config={"max_retries": 0}, outputs={"facts": {}, "text": {}})
    model_server.script(Reply(text="done"), match="Write")
    model_server.script(Reply(status=400, message="no"), repeat=True)

    run = await client.cooked(recipe["template_id"])

    assert run["status"] == "completed_with_skips"
    assert run["output_data"]["outputs"] == {"facts": None, "text": "done"}
    assert run["step_outputs"] == {"text": "done"}


async def test_a_recipe_without_declared_outputs_gives_none(client: Client, make: Make) -> None:
    run = await client.cooked((await make.recipe("Say hello"))["template_id"])

    assert run["status"] == "completed"
    assert "outputs" not in run["output_data"]
    assert list(run["step_outputs"]) == ["step_1"]


@pytest.mark.parametrize(("outputs", "where"), [
    ({"x": {"from": "nowhere"}}, "outputs.x.from"), ({"x": {"type": "markdown"}}, "outputs.x.type"),
    ({"x": {"form": "step_1"}}, "outputs.x.form"), ({"no space": {}}, "outputs"),
])
async def test_a_declaration_that_cannot_be_kept_is_refused_when_it_is_saved(
    client: Client, make: Make, outputs: dict[str, Any], where: str
) -> None:
    agent = await make.agent()
    step = {"step_id": "a", "order": 1, "agent_id": agent["id"], "prompt_template": "Say hello"}

    refused = await client.post(BASE, json={"template_id": "t", "name": "T", "steps": [step], "outputs": outputs})

    assert refused.status == 422
    assert where in refused.body.decode()


async def test_declared_outputs_come_back_as_they_were_given_and_go_into_the_file(client: Client, make: Make) -> None:
    outputs = {"score": {"type": "number", "from": "s1", "required": True}, "text": {"type": "string"}}
    recipe = await make.recipe("Say hello", template_id="declares", outputs=outputs)
    assert recipe["outputs"] == outputs

    file = yaml.safe_load((await client.get(f"{BASE}/declares/export")).body)
    applied = await client.post(f"{BASE}/apply", json=file)

    assert (applied.status, applied.json()["action"]) == (200, "unchanged"), applied.body
