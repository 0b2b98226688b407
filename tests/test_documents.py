"""The documents are true: what they link, name and show exists, and what is generated is current."""

import ast
import re
import runpy
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from automatos.agents.errors import AgentNotReady
from automatos.cli.main import app
from automatos.entrypoints.deferred import DEFERRED
from automatos.kernel.config import known_variables
from automatos.kernel.errors import Problem
from automatos.recipes.definition import faults_of
from automatos.recipes.schemas import RecipeFile
from automatos.recipes.types import Step

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/automatos"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OURS = re.compile(r"\b(?:(?:AUTOMATOS|POSTGRES|REDIS|CLERK|AWS)_[A-Z0-9_]+|DATABASE_URL|REQUIRE_AUTH|WORKSPACE_ID)\b")
COMMAND = re.compile(r"(?:[A-Z_]+=\S+ +)*(automatos(?: +\S+)+)")
CODE = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4}(\S.*)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
ENDED_EXECUTIONS = {"total_timeout"}
ANSWERED_EARLY = {"untrusted_host", "body_too_large"}
MADE_BY_PEOPLE = {"deploy/.env", "src/automatos/static"}
HOUSE_FORM = ("## Why now", "## Decision", "## Consequences", "## Not chosen", "## Kept true by")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def each_document() -> Any:
    return pytest.mark.parametrize("path", DOCUMENTS, ids=named)


def command_lines(text: str) -> Iterator[str]:
    """Every command line in a document: in blocks, in indented lines and in running text."""
    blocks = [line for _, body in BLOCK.findall(text) for line in body.splitlines()]
    for line in (*blocks, *INDENTED.findall(text), *CODE.findall(" ".join(BLOCK.sub("", text).split()))):
        if found := COMMAND.match(line.strip()):
            yield found[1]


@each_document()
def test_links_lead_somewhere(path: Path) -> None:
    targets = [link.partition("#")[0] for link in LINK.findall(path.read_text()) if "://" not in link]
    assert [target for target in targets if target and not (path.parent / target).exists()] == []


@each_document()
def test_commands_exist_with_their_options(path: Path) -> None:
    for line in command_lines(path.read_text()):
        words = shlex.split(re.sub(r"[>|].*|`.*|\.\.\.", "", line), comments=True)[1:]
        command: Any = typer.main.get_command(app)
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        if hasattr(command, "commands"):
            own = {option for each in command.params for option in each.opts} | {"--install-completion"}
            assert set(words) <= own, f"{line!r}: there is no such command"
            continue
        known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
        assert {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)} <= known, line


@each_document()
def test_variables_mean_something(path: Path) -> None:
    assert set(OURS.findall(path.read_text())) - known_variables() == set()


@each_document()
def test_files_that_are_named_exist(path: Path) -> None:
    text = BLOCK.sub("", path.read_text())
    rooms = "|".join(folder.name for folder in SOURCE.iterdir() if folder.is_dir())
    inside = re.findall(rf"`((?:{rooms})/[\w/.]+)`", text)
    outside = re.findall(r"`((?:src|tests|docs|deploy|web|migrations|examples|bench)/[\w/.-]+)`", text)
    assert [name for name in inside if not (SOURCE / name).exists()] == []
    assert [name for name in outside if name not in MADE_BY_PEOPLE and not (ROOT / name).exists()] == []


@pytest.mark.skipif(not (ROOT / "Makefile").exists(), reason="this is no checkout")
@each_document()
def test_make_has_the_targets_that_are_named(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    text = path.read_text()
    assert set(re.findall(r"(?:`|^ {4})make ([a-z-]+)", text, flags=re.MULTILINE)) <= targets


def test_the_reading_order_names_what_is_there() -> None:
    text = " ".join((ROOT / "docs/start-here.md").read_text().split())
    stops = re.findall(r"`([a-z_]+/[\w/]+\.py)`, (?:function|class|method)s? `(\w+)`(?: and `(\w+)`)?", text)
    assert len(stops) >= 12
    for file, *names in stops:
        tree = ast.parse((SOURCE / file).read_text())
        defined = {node.name for node in ast.walk(tree) if isinstance(node, DEFINITIONS)}
        assert {name for name in names if name} <= defined, file


DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def test_generated_pages_are_current() -> None:
    pages = runpy.run_path(str(ROOT / "docs/generate.py"))["pages"]()
    stale = [named(path) for path, text in pages.items() if not path.exists() or path.read_text() != text]
    assert stale == [], "run: make docs"


def test_every_room_has_its_page() -> None:
    rooms = {folder.name for folder in SOURCE.iterdir() if (folder / "__init__.py").exists()}
    pages = {page.stem: page.read_text() for page in (ROOT / "docs/packages").glob("*.md")}
    assert set(pages) == rooms
    for name, text in pages.items():
        assert text.startswith(f"# {name}\n")
        for part in ("**What.**", "**Nouns.**", "**Events", "**Limits.**", "**Look first at**"):
            assert part in text, f"{name}: {part}"
        assert re.search(r"\*\*States|\*\*Roles", text), name
        assert "**Journey" in text, name


def test_decisions_have_the_house_form() -> None:
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    numbers = [page.name[:4] for page in pages]
    assert len(numbers) == len(set(numbers)), "two pages have one number"
    for page in pages:
        text = page.read_text()
        assert len(text.splitlines()) < 40, page.name
        head = rf"# {page.name[:4]}\. .+\n\n(?:Accepted|Superseded) \d{{4}}-\d\d-\d\d\. Areas?: [\w, ]+\..*\n"
        assert re.match(head, text), page.name
        assert tuple(re.findall(r"^## .+$", text, flags=re.MULTILINE)) == HOUSE_FORM, page.name


def test_the_codes_to_troubleshoot_are_those_of_the_errors() -> None:
    for name in DEFERRED:
        import_module(name.partition(":")[0])
    assert AgentNotReady.code in all_codes()
    text = (ROOT / "docs/how-to/troubleshoot.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| `") or re.match(r"\| \d{3} `", line)]
    shown = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row.split("|")[1])}
    assert len(shown) > 20
    assert shown - all_codes() <= ENDED_EXECUTIONS | ANSWERED_EARLY
    for file, codes in (("recipes/steps.py", ENDED_EXECUTIONS), ("entrypoints/middleware.py", ANSWERED_EARLY)):
        text = (SOURCE / file).read_text()
        assert [code for code in codes if f'"{code}"' not in text] == []


def all_codes() -> set[str]:
    found, waiting = set[str](), list[type[Problem]]([Problem])
    while waiting:
        kind = waiting.pop()
        found.add(getattr(kind, "code", ""))
        waiting += kind.__subclasses__()
    return found


def test_recipe_files_in_documents_are_valid() -> None:
    blocks = [body for path in DOCUMENTS for _, body in BLOCK.findall(path.read_text())]
    shown = [body for body in blocks if "kind: Recipe" in body]
    assert shown
    for body in shown:
        file = RecipeFile.model_validate(yaml.safe_load(body))
        names = [agent.name for agent in file.agents]
        steps = [
            Step(one.step_id, order, names.index(one.agent) + 1, one.prompt_template, one.output_key or f"step_{order}")
            for order, one in enumerate(file.recipe.steps, start=1)
        ]
        inputs = {name: spec.model_dump() for name, spec in file.recipe.inputs.items()}
        assert faults_of(steps, inputs, file.recipe.stored_outputs, range(1, len(names) + 1), ()) == []


@pytest.mark.parametrize("name", ["AGENTS.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "LICENSE"])
def test_what_people_look_for_is_at_the_root(name: str) -> None:
    assert len((ROOT / name).read_text().splitlines()) > 20


def test_the_readme_begins_with_two_commands() -> None:
    lines = [line for line in (ROOT / "README.md").read_text().splitlines() if line.strip()]
    assert lines[1:3] == ["    make run", "    make test"]
