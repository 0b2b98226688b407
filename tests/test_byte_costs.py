"""What other people's bytes may cost: twice as many cost twice as much, and nobody decodes or parses them elsewhere."""

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import orjson
import pytest

from automatos.skills.errors import GitRefused
from automatos.skills.git.packs import unpack
from tests.byte_costs import measure, takers
from tests.byte_inputs import Taker, pack_of_small_copies

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/automatos"
MOST = 3.0
QUICK_S = 0.05
"""What four times the largest input costs no more than this is bounded by itself."""
OWN_CHARSETS = {"skills/package.py", "kernel/remote_bytes.py", "cli/documents.py"}
"""Where a character set that is no literal comes from a closed list in the file itself."""


def grows_too_fast(costs: list[float]) -> bool:
    """Whether both doublings cost more than three times as much; a busy machine may spoil one of them."""
    first, second, third = costs
    return third > QUICK_S and second > MOST * first and third > MOST * second


@pytest.fixture(scope="module")
def measured() -> dict[str, list[float]]:
    """The costs of every taker, from one process of their own."""
    done = subprocess.run([sys.executable, "-m", "tests.byte_costs"], cwd=ROOT, capture_output=True, check=False)
    return dict(orjson.loads(line) for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", [taker.name for taker in takers()])
def test_twice_as_many_bytes_cost_at_most_three_times_as_much(name: str, measured: dict[str, list[float]]) -> None:
    assert name in measured, f"{name} took too long and was killed"
    assert not grows_too_fast(measured[name]), f"{name}: {measured[name]} s for n, 2n and 4n bytes"


def test_the_gate_finds_what_grows_with_the_square() -> None:
    def read(text: str) -> None:
        parser = HTMLParser()
        parser.feed(text)
        parser.close()

    assert grows_too_fast(measure(Taker("the standard parser", read, read, lambda n: "<a " * (n // 3))))


def confined_work(tree: ast.AST) -> Iterator[str]:
    """Yield the names of functions that are handed to a process of its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            place = {"confined": 0, "confined_for": 2, "_confined": 1}.get(node.func.id)
            if place is not None and len(node.args) > place and isinstance(node.args[place], ast.Name):
                yield node.args[place].id


def files() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield str(path.relative_to(SOURCE)), ast.parse(path.read_text("utf-8"))


def test_everything_done_in_a_process_of_its_own_is_listed() -> None:
    known = {taker.taken.__name__ for taker in takers()}
    found = {name for _, tree in files() for name in confined_work(tree)} - {"work"}
    assert found - known == set()
    assert {"read_page", "read_commit", "read_archive", "check_packages"} <= found


PARSERS = {
    "json": {"load", "loads"}, "orjson": {"loads"},
    "yaml": {"safe_load", "load", "compose", "compose_all", "parse"},
    "zipfile": {"ZipFile"}, "tarfile": {"open"}, "zlib": {"decompress", "decompressobj"},
    "gzip": {"open", "decompress"}, "pickle": {"load", "loads", "Unpickler"}, "jwt": {"decode"},
    "jsonschema": {"Draft202012Validator"},
}
OWN = {
    "agents/types.py": "our catalogue", "kernel/shipped.py": "our catalogues",
    "entrypoints/first_start.py": "our example",
    **dict.fromkeys(("events/metrics.py", "events/traces.py", "runs/notes.py"), "our events, when they are recorded"),
    "durable/texts.py": "what processes of ours told each other",
    "credentials/contents.py": "what this server sealed", "durable/bus.py": "a cursor of 2,000 characters at most",
    "agents/service.py": "a cursor of 2,000 characters at most", "kernel/running.py": "our note",
    "entrypoints/archive.py": "the operator's back-up", "entrypoints/read_back.py": "what clients of ours sent",
    "kernel/confined.py": "what a confined process answers", "kernel/confined_child.py": "what the server asks",
    "kernel/recording.py": "our columns", "kernel/db.py": "our columns",
    "workspaces/oidc_router.py": "what this server sealed", "workspaces/clerk.py": "the operator's issuer",
    "workspaces/oidc.py": "the operator's issuer", "workspaces/identity_trial.py": "the operator's issuer",
    "workspaces/issuer.py": "the operator's issuer", "skills/storing.py": "writes archives only",
    "skills/seeds/data-quality-check/scripts/profile_csv.py": "runs in the sandbox",
}
"""Files that parse what no stranger sends, or no more than a few bytes of it, and why that is so."""


def test_whoever_parses_is_listed_or_parses_our_own() -> None:
    listed = {Path(inspect.getfile(taker.taken)).resolve() for taker in takers()}
    parsing = {path for path, tree in files() if not path.startswith(("cli/", "client/")) and parses(tree)}
    assert {path for path in parsing - OWN.keys() if SOURCE / path not in listed} == ALSO.keys()
    assert OWN.keys() - parsing == set()
    for path, by in ALSO.items():
        assert any(taker.name.startswith(by) for taker in takers()), f"{path} is not read by {by}"


ALSO = {
    "skills/head.py": "front matter", "skills/front_matter.py": "front matter", "tools/registry.py": "arguments",
    "llm/providers/tool_calls.py": "chat stream",
}
"""Files that are reached through a taker of another file."""


def parses(tree: ast.AST) -> bool:
    """Whether a file calls or extends a parser, however it imports it."""
    found = {f"{node.value.id}.{node.attr}" for node in ast.walk(tree)
             if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)}
    found |= {f"{node.module}.{one.name}" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
              for one in node.names}
    return any(f"{module}.{name}" in found for module, names in PARSERS.items() for name in names)


def test_senders_do_not_choose_how_their_bytes_are_decoded() -> None:
    found = [f"{path}:{line}" for path, tree in files() if path not in OWN_CHARSETS for line in free_charsets(tree)]
    assert found == []


def free_charsets(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that decode by a name which is no literal, or let a library follow the sender's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr == "decode" and node.args and not isinstance(node.args[0], ast.Constant) \
                    and not ast.unparse(node.func).startswith("jwt."):
                yield node.lineno
            if node.func.attr == "text" and ast.unparse(node.func.value) == "response" and not node.args:
                yield node.lineno


def test_no_page_is_read_by_a_parser_that_begins_again() -> None:
    modules = {"html.parser", "xml", "xml.etree", "xml.dom", "xml.sax", "bs4", "html5lib"}
    found = {f"{path}: {name}" for path, tree in files() for node in ast.walk(tree)
             if isinstance(node, (ast.Import, ast.ImportFrom))
             for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
             if name in modules or name.startswith("xml.")}
    assert found == set()


@pytest.mark.parametrize("copies", [30_000, 300_000, 1_000_000])
def test_a_pack_of_a_few_bytes_made_in_many_pieces_is_refused_by_the_number_of_pieces(copies: int) -> None:
    with pytest.raises(GitRefused, match="too many pieces"):
        unpack(pack_of_small_copies(copies))


def test_a_pack_of_as_many_pieces_as_programs_write_is_read() -> None:
    assert len(unpack(pack_of_small_copies(2_000))) == 2
