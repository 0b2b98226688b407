"""Recipe files are checked without a server, every fault with its place."""

import json
from pathlib import Path

import pytest

from tests.entrypoints.cli.conftest import EXAMPLES, Cli

HEAD = "apiVersion: automatos/v1\nkind: Recipe\nagents: [{name: A, prompt: p}]\n"


def recipe_with(step: str) -> str:
    return HEAD + "recipe:\n  template_id: r\n  name: R\n  steps:\n    - " + step


CASES = {
    "no YAML": ("a: [", "is not valid YAML"),
    "no mapping": ("- a\n- b\n", "no mapping"),
    "unknown field": (HEAD.replace("kind", "colour: red\nkind") + "recipe: {}", "colour"),
    "wrong kind": (HEAD.replace("kind: Recipe", "kind: Soup") + "recipe: {}", "kind"),
    "unknown placeholder": (recipe_with('{step_id: s, agent: A, prompt_template: "a\\n {nowhere}"}'),
                            "recipe.steps[0].prompt_template (line 2, column 2)"),
    "later output": (recipe_with('{step_id: s, agent: A, prompt_template: "{x}", output_key: x}'), "later one"),
    "no steps": (HEAD + "recipe: {template_id: r, name: R, steps: []}", "recipe.steps"),
}


@pytest.mark.parametrize(("content", "said"), CASES.values(), ids=CASES)
def test_a_fault_is_named_with_its_place(alone: Cli, tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(content)

    done = alone("recipe", "validate", file)

    assert (done.returncode, said in done.stdout) == (1, True), done.stdout + done.stderr


def test_the_examples_are_valid(alone: Cli) -> None:
    done = alone("recipe", "validate", EXAMPLES, "--json")

    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, [verdict["is_valid"] for verdict in verdicts]) == (0, [True] * 3)


def test_bytes_that_are_no_text_and_files_that_are_not_there_are_refused(alone: Cli, tmp_path: Path) -> None:
    (tmp_path / "noise.yaml").write_bytes(b"\xff\xfe\x00")

    assert "not UTF-8" in alone("recipe", "validate", tmp_path).stdout
    missing = alone("recipe", "validate", tmp_path / "nowhere.yaml")
    assert (missing.returncode, "does not exist" in missing.stderr) == (1, True)
