"""Recipe files are checked without a server, every fault with its place."""

import json
from pathlib import Path

import pytest

from automatos.cli.console import CommandFailed
from automatos.cli.documents import read_document
from tests.cli.conftest import EXAMPLES, Cli

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
    "an output of no step": (recipe_with('{step_id: s, agent: A, prompt_template: b}\n  outputs: {x: {from: y}}'),
                             "recipe.outputs.x.from"),
    "a key twice": (HEAD + "recipe: {}\nkind: Recipe\n", "first in line 2, column 1"),
    "a tab": (HEAD + "recipe:\n\tname: R\n", "line 5, column 1: a tab"),
    "a file that is not there": (recipe_with('{step_id: s, agent: A, prompt_template: "@no.md"}'), "no.md"),
    "a file elsewhere": (recipe_with('{step_id: s, agent: A, prompt_template: "@../../etc/passwd"}'), "not beside it"),
    "a file from the root": (recipe_with('{step_id: s, agent: A, prompt_template: "@/etc/passwd"}'), "not beside it"),
    "two documents": (HEAD + "---\nb: 1\n", "2 documents"),
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


GRAPH = """apiVersion: automatos/v1
kind: Recipe
recipe:
  template_id: letters
  name: Letters
  inputs: {{readers: {{type: array, required: true}}}}
  steps:
    - {{step_id: rows, for_each: {{items: input.readers}}}}
    - {{step_id: letter, inside: {inside}, agent: Writer, prompt_template: "Write to {{item}}, {{index}}"}}
    - {{step_id: ok, needs: [{needs}], approval: {{role: admin}}, prompt_template: "Send {{step_1_output}}?"}}
"""


@pytest.mark.parametrize(("inside", "needs", "said"), [
    ("rows", "rows", ": ok"),
    ("rows", "nowhere", "recipe.steps[2].needs"),
    ("ok", "rows", "recipe.steps[1].inside"),
])
def test_a_recipe_that_is_more_than_a_line_is_checked_as_the_server_does(
    alone: Cli, tmp_path: Path, inside: str, needs: str, said: str
) -> None:
    file = tmp_path / "graph.yaml"
    file.write_text(GRAPH.format(inside=inside, needs=needs))

    done = alone("recipe", "validate", file)

    assert (done.returncode, said in done.stdout) == (0 if said == ": ok" else 1, True), done.stdout


def test_bytes_that_are_no_text_and_files_that_are_not_there_are_refused(alone: Cli, tmp_path: Path) -> None:
    (tmp_path / "noise.yaml").write_bytes(b"\xff\xfe\x00")

    assert "not UTF-8" in alone("recipe", "validate", tmp_path).stdout
    missing = alone("recipe", "validate", tmp_path / "nowhere.yaml")
    assert (missing.returncode, "does not exist" in missing.stderr) == (1, True)


def test_long_texts_lie_in_files_beside_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "a.md").write_bytes("\ufeffFür {input.day}:\n".encode())
    file = tmp_path / "r.yaml"
    file.write_text(HEAD + "recipe:\n  inputs: {day: {type: string, default: 2024-01-31}}\n  steps:\n"
                    '  - {prompt_template: "@prompts/a.md", step_id: "@prompts/a.md"}\n'
                    '  - {prompt_template: "@@channel"}\n  - {prompt_template: "@you do it"}\n')

    recipe = read_document(file)["recipe"]

    assert [step["prompt_template"] for step in recipe["steps"]] == ["Für {input.day}:\n", "@channel", "@you do it"]
    assert (recipe["steps"][0]["step_id"], recipe["inputs"]["day"]["default"]) == ("@prompts/a.md", "2024-01-31")
    (tmp_path / "prompts" / "a.md").write_bytes(b"caf\xe9")
    with pytest.raises(CommandFailed, match=r"prompt_template names @prompts/a.md.*byte 4, in line 1, is 0xe9"):
        read_document(file)
    (tmp_path / "prompts" / "a.md").write_bytes(b"x" * (2**20 + 1))
    with pytest.raises(CommandFailed, match="larger than 1 MB"):
        read_document(file)
    (tmp_path / "prompts" / "a.md").unlink()
    (tmp_path / "prompts" / "a.md").symlink_to("/etc/hostname")
    with pytest.raises(CommandFailed, match="not beside it"):
        read_document(file)


def test_json_files_and_other_encodings_are_read(tmp_path: Path) -> None:
    for name, content in {"a.json": b'{\n\t"a": "\\ud83d\\ude00"\n}', "b.yaml": 'a: "\U0001f600"\r\n'.encode("utf-16"),
                          "c.yml": b"\xef\xbb\xbfa: \xf0\x9f\x98\x80"}.items():
        (tmp_path / name).write_bytes(content)
        assert read_document(tmp_path / name) == {"a": "\U0001f600"}
