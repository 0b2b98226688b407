"""The rules of the house that no linter knows: doors, where SQL and commits live, scopes, names, sizes, policies."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
from fastapi import FastAPI
from sqlalchemy.orm import configure_mappers

from automatos.entrypoints.policy import PUBLIC, find_unguarded
from automatos.entrypoints.tables import Base

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/automatos"
FRONT_DOORS = {"service", "types", "errors", "deps"}
CLI_NEEDS = {"errors", "figures", "running", "terminal", "variables"}
"""Modules of the kernel that the command line may import; they load nothing."""
SQL_VERBS = {"select", "update", "insert", "delete", "text"}
DRIVER_VERBS = {"execute", "executemany", "fetch", "fetchrow", "fetchval", "scalar", "scalars", "cursor", "stream"}
SQL_TEXT = re.compile(
    r"\s*(select|insert|update|delete|with|truncate|lock|set|create|alter|drop|listen|notify)\s", re.IGNORECASE
)
SQL_OUTSIDE_QUERIES = {"kernel/db.py", "kernel/pooler.py", "kernel/recording.py", "entrypoints/inspection.py",
                       "entrypoints/backup.py", "entrypoints/restore.py",
                       "entrypoints/migrate.py", "entrypoints/health.py"}
MAY_CROSS = {
    "lifecycle/idle.py",  # whose agents have had nothing to do?
    "lifecycle/auto_start.py",  # everybody's agents that start with the server
    "credentials/rotation.py",  # a new key seals what every workspace has
    "heartbeats/due.py",  # a beat is due before its workspace is known
    "personas/seed.py",  # the product's own personas belong to no workspace
    "recipes/retention.py",  # old runs are looked for in one workspace after the other
    "recipes/jobs.py",  # a job is found before its workspace is known
    "runtime/ledger.py",  # calls that a dead process did not account for, whoever made them
    "settings/seed.py",  # the defaults of the whole server
    "settings/router.py",  # a system admin's settings are everybody's
    "skills/jobs.py",  # sources whose time has come, of every workspace
    "skills/seed.py",  # the product's own skills belong to no workspace
    "workspaces/admins.py",  # accounts belong to no workspace
    "workspaces/authenticate.py",  # whose key, session or token is this?
    "workspaces/default.py",
    "workspaces/deps.py",  # `__all__`
    "workspaces/invitations.py",
    "workspaces/provision.py",
    "workspaces/sessions.py",
    "workspaces/setup.py",
    "workspaces/tenants.py",  # every workspace of the server, for its system admins
    "workspaces/workspace.py",  # the list of one's own workspaces, and a new one
}
"""The only places that may look across workspaces; a new one needs a reason here and a policy in the database."""

ADAPTER = "durable/temporal/adapter.py"
SAYS_NOTHING = {
    "utils", "util", "helpers", "helper", "common", "misc", "manager", "handler", "base", "core", "legacy", "old",
    "new", "v2", "impl", "enhanced", "smart", "unified",
}
REFUSED = {"kitchen", "crew", "desk", "shelf", "lane", "hear", "bury", "presence", "gatekeeper", "ground", "fenced"}
"""Words for which the field has terms of its own; `docs/start-here.md` uses these."""
STILL_CALLED = {"presence_penalty", "fenced", "_FENCED", "lane"}
"""A setting's name, code between fences, and the column of a table: the table is renamed with the next one."""
MAX_FILE, MAX_FUNCTION, MAX_WEB_FILE = 400, 60, 250
MAX_ROOM = 25
STILL_LARGER = {"cli", "entrypoints", "kernel", "llm", "recipes", "skills", "workspaces"}
"""More files mean that a second noun lives there: of these packages that is still to be found out."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def parsed() -> dict[str, ast.Module]:
    """Every module of the server by its path inside the package."""
    return {str(path.relative_to(SOURCE)): ast.parse(path.read_text("utf-8")) for path in sorted(SOURCE.rglob("*.py"))}


def is_queries(path: str) -> bool:
    return path.endswith("/queries.py") or "/queries/" in path


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def called(call: ast.Call) -> str:
    """The last name of what is called: `execute` of `session.execute(...)`."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def test_rooms_are_entered_by_the_front_door() -> None:
    graph = grimp.build_graph("automatos", cache_dir=None)
    wrong = [
        f"{importer} -> {imported}"
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
        if not may_import(importer.split(".")[1:], imported.split(".")[1:])
    ]
    assert sorted(wrong) == []


def may_import(importer: list[str], imported: list[str]) -> bool:
    if not importer or not imported or importer[0] in {"entrypoints", imported[0]}:
        return True
    if importer[0] == "cli":
        return imported in [["client"], ["client", "events"], *(["kernel", name] for name in CLI_NEEDS)]
    return imported[0] == "kernel" or (len(imported) == 2 and imported[1] in FRONT_DOORS)


def test_the_command_line_imports_what_is_ours_at_the_top_of_its_files() -> None:
    """What costs too much for that is in one of its two tables: nouns, and what the server's own code does."""
    inside = [f"{path}:{node.lineno}" for path, tree in parsed().items() if path.startswith("cli/")
              for function in ast.walk(tree) if isinstance(function, Function)
              for node in ast.walk(function) if imports_of(ast.Module([node], []), "automatos")]  # pyright: ignore
    tables = {path for path, tree in parsed().items() if path.startswith("cli/") for call in calls(tree)
              if called(call) == "import_module"}
    assert (inside, tables) == ([], {"cli/machine.py", "cli/nouns.py"})


def test_sql_is_written_in_queries_only() -> None:
    wrong = [
        f"{path}: {what}"
        for path, tree in parsed().items()
        if not is_queries(path) and path not in SQL_OUTSIDE_QUERIES
        for what in [*imported_sql(path, tree), *sent_sql(tree)]
    ]
    assert wrong == []


def imported_sql(path: str, tree: ast.Module) -> Iterator[str]:
    """Statement builders a module imports; tables may use `text` for defaults and conditions of indexes."""
    allowed = {"text"} if path.endswith("/models.py") else set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            yield from (f"imports {each.name}" for each in node.names if each.name in SQL_VERBS - allowed)
        if isinstance(node, ast.Import):
            yield from (f"imports {each.name} whole" for each in node.names if each.name == "sqlalchemy")


def sent_sql(tree: ast.Module) -> Iterator[str]:
    """Statements in text that a module hands to the driver, directly or by the name of a constant."""
    constants = {
        target.id: node.value for node in ast.walk(tree) if isinstance(node, ast.Assign)
        for target in node.targets if isinstance(target, ast.Name)
    }
    for call in calls(tree):
        if called(call) not in DRIVER_VERBS or not call.args:
            continue
        first = call.args[0]
        first = constants.get(first.id, first) if isinstance(first, ast.Name) else first
        pieces = [str(node.value) for node in ast.walk(first) if isinstance(node, ast.Constant)]
        if pieces and SQL_TEXT.match(pieces[0]):
            yield f"line {call.lineno} sends {pieces[0][:40]!r}"


def test_packages_reach_what_a_process_has_in_one_place() -> None:
    """What a request needs of the process is asked for by `services_of`, as a protocol that the type checker proves."""
    assert {path for path, tree in parsed().items() if not path.startswith("entrypoints/") for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {"app.state", "request.app.state"}} == {
        "kernel/services.py"}


def test_temporals_package_is_imported_by_its_adapter_alone_and_that_one_only_where_it_is_asked_for() -> None:
    """It is an extra: a server without it starts, and one with it pays for it only when its settings say so."""
    assert {path for path, tree in parsed().items() if imports_of(tree, "temporalio")} == {ADAPTER}
    assert [
        path for path, tree in parsed().items()
        for node in tree.body if imports_of(ast.Module([node], []), "automatos.durable.temporal")
        and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and path != ADAPTER
    ] == []


def test_opentelemetrys_library_is_named_by_its_adapter_alone_and_loaded_only_where_it_is_asked_for() -> None:
    """It is an extra, as Temporal's is; the adapter loads it by name, so that others are checked without it."""
    named = {path for path, tree in parsed().items() for node in ast.walk(tree)
             if isinstance(node, ast.Constant) and str(node.value).startswith("opentelemetry.")}
    assert named == {"kernel/otlp.py"}
    assert [path for path, tree in parsed().items() if imports_of(tree, "opentelemetry")] == []


def imports_of(tree: ast.Module, package: str) -> list[str]:
    """What a module imports of a package, at any depth."""
    found = [each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names]
    found += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return [name for name in found if name == package or name.startswith(f"{package}.")]


def test_transactions_are_committed_in_one_place() -> None:
    found = [path for path, tree in parsed().items() for call in calls(tree) if called(call) == "commit"]
    assert found == ["kernel/db.py"]


def test_only_named_places_look_across_workspaces() -> None:
    found = {
        path for path, tree in parsed().items() if path != "kernel/db.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Scope"
    }
    assert found == MAY_CROSS


def test_relationships_never_load_by_surprise() -> None:
    configure_mappers()
    relations = [relation for mapper in Base.registry.mappers for relation in mapper.relationships]
    assert [str(relation) for relation in relations if relation.lazy != "raise"] == []


def test_files_are_named_for_what_they_hold() -> None:
    named = [
        path for folder in ("src", "tests", "bench", "migrations", "web/src", "web/tests")
        for path in (ROOT / folder).rglob("*") if "node_modules" not in path.parts
    ]
    assert named
    assert [str(path.relative_to(ROOT)) for path in named if path.name.split(".")[0].lower() in SAYS_NOTHING] == []


def test_names_are_terms_of_the_field() -> None:
    named = {(path, name) for path, tree in parsed().items() for name in defined_in(tree)}
    assert ("durable/worker_lease.py", "WorkerLease") in named
    wrong = sorted(f"{path}: {name}" for path, name in named if name not in STILL_CALLED and REFUSED & words_of(name))
    assert wrong == []


def words_of(name: str) -> set[str]:
    return set(re.findall(r"[a-z]+", re.sub(r"([A-Z])", r"_\1", name).lower()))


def defined_in(tree: ast.Module) -> Iterator[str]:
    """The names that a module gives: to classes, functions, arguments, attributes and variables."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr


def test_a_public_name_of_the_kernel_means_one_thing_everywhere() -> None:
    public = [(node.name, path) for path, tree in parsed().items() for node in tree.body
              if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    kernels = {name: path for name, path in public if path.startswith("kernel/")}
    assert {"Secret", "Database", "Problem"} <= set(kernels)
    assert [f"{path}: {name}" for name, path in public if name in kernels and kernels[name] != path] == []


def test_files_and_functions_are_small() -> None:
    assert [line for folder in ("src", "tests", "bench") for line in too_large(ROOT / folder)] == []


def too_large(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.py")):
        text, name = path.read_text("utf-8"), path.relative_to(ROOT)
        if (lines := text.count("\n")) > MAX_FILE:
            yield f"{name}: {lines} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, Function) and (length := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION:
                yield f"{name}: {node.name} has {length} lines"


def test_rooms_hold_few_files() -> None:
    rooms = {path.partition("/")[0] for path in parsed() if "/" in path} - STILL_LARGER
    files = {room: sum(path.startswith(f"{room}/") for path in parsed()) for room in sorted(rooms)}
    print(files)
    assert files["agents"]
    assert {room: count for room, count in files.items() if count > MAX_ROOM} == {}


def test_web_files_are_small() -> None:
    files = [
        path for pattern in ("*.ts", "*.tsx", "*.css") for path in (ROOT / "web/src").rglob(pattern)
        if "client" not in path.relative_to(ROOT / "web/src").parts
    ]
    assert files or not (ROOT / "web").exists()
    sizes = {str(path.relative_to(ROOT)): path.read_text("utf-8").count("\n") for path in files}
    assert {path: lines for path, lines in sizes.items() if lines > MAX_WEB_FILE} == {}


def test_everything_public_promises_something() -> None:
    silent = [
        f"{path}: {node.name}"
        for path, tree in parsed().items()
        for node in public_parts(tree)
        if not ast.get_docstring(node)
    ]
    assert silent == []


def public_parts(tree: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            if not any(called_name(mark) in {"overload", "override"} for mark in node.decorator_list):
                yield node
            if isinstance(node, ast.ClassDef):
                yield from public_parts(node)


def called_name(mark: ast.expr) -> str:
    return mark.attr if isinstance(mark, ast.Attribute) else getattr(mark, "id", "")


def test_every_route_says_who_may_call_it(app: FastAPI) -> None:
    assert find_unguarded(app) == []


def test_the_list_of_public_routes_names_nothing_that_is_gone(app: FastAPI) -> None:
    paths = {f"{method.upper()} {path}" for path, ways in app.openapi()["paths"].items() for method in ways}
    unlisted = {
        "GET /metrics", "GET /api/docs", "GET /api/openapi.json", "GET /api/schemas/{kind}.json",
        "GET /docs", "GET /docs/{name}", "GET /openapi.json",
        "GET /api/auth/oidc/sign-in", "GET /api/auth/oidc/callback",
    }  # not part of the described API
    assert paths - unlisted >= PUBLIC - unlisted
