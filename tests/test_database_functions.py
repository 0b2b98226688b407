"""Functions, triggers and views of the database: a file each, as they are now, in the package whose tables they use."""

import ast
import re
import tomllib
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest

from automatos import __version__
from automatos.entrypoints.migrate import Migrated, migrate
from automatos.entrypoints.tables import Base
from tests.test_architecture import SOURCE, is_queries, parsed
from tests.test_migrations import new_database

ROOT = Path(__file__).parents[1]
MADE = re.compile(r"^CREATE OR REPLACE (FUNCTION|TRIGGER|VIEW) ([\w.]+)", re.MULTILINE)
USED_TABLE = re.compile(r"\b(?:from|join|into|update|using)\s+((?:public\.|durable\.)?\w+)", re.IGNORECASE)
TRIGGER_ON = re.compile(r"^CREATE OR REPLACE TRIGGER \w+ [^;]*?\bON ([\w.]+)", re.MULTILINE)

RUNS = {"recipe_executions", "recipe_execution_steps"}
"""Tables of the package `runs`, which alone writes them, though `recipes.models` declares them."""

ROUND_TRIP = "one round trip on the recording path"
OTHERS_TABLES = {("reserve_tokens_v2", "recipe_versions"): ROUND_TRIP}
"""Tables of other packages in statements of functions: this list may only become shorter."""
CALLS_UP = {
    ("accept_run", "agent_priority"): ROUND_TRIP, ("accept_run", "wake_agents"): ROUND_TRIP,
    ("accept_run", "append_runs"): ROUND_TRIP,
    ("record_step", "append_runs"): ROUND_TRIP, ("record_step", "append_turns"): ROUND_TRIP,
    ("record_step_v2", "append_runs"): ROUND_TRIP, ("record_step_v2", "append_turns"): ROUND_TRIP,
}
"""Calls from a function to one of a higher package: this list may only become shorter."""

GOES_WITH = {
    "claim": "0.2.0", "claim_v2": "0.2.0", "claim_without_dispatcher": "0.2.0", "count_unknown_cost": "0.2.0",
    "events": "0.2.0", "move": "0.2.0", "put_steps": "0.2.0", "record_step": "0.2.0", "reserve_tokens": "0.2.0",
    "unavailable_agents": "0.2.0",
}
"""What only processes from before 0.1.0 use, and the release that drops it: an upgrade leaves no release out."""


class SqlFile(NamedTuple):
    package: str
    name: str
    text: str

    @property
    def statements(self) -> str:
        """The text without comments."""
        return re.sub(r"--[^\n]*", "", self.text)

    @property
    def used(self) -> set[str]:
        """The tables of ours in its statements; names in the schema `durable` count where they are written in full."""
        found = {name.lower() for name in USED_TABLE.findall(self.statements)}
        return {table for table in owners() if table in {name.removeprefix("public.") for name in found}}

    @property
    def watched(self) -> set[str]:
        return set(TRIGGER_ON.findall(self.statements))

    def calls(self, name: str) -> bool:
        body = self.statements.partition("$$")[2].partition("$$")[0]
        return bool(re.search(rf"\b{name}\(", body))


@cache
def files() -> dict[str, SqlFile]:
    found = [SqlFile(path.parts[-3], path.stem, path.read_text("utf-8")) for path in sorted(SOURCE.glob("*/sql/*.sql"))]
    assert len({file.name for file in found}) == len(found)
    return {file.name: file for file in found}


@cache
def owners() -> dict[str, str]:
    """The package of each table, and of each view, by its name."""
    declared = {mapper.local_table.fullname: mapper.class_.__module__.split(".")[1]  # pyright: ignore
                for mapper in Base.registry.mappers}
    views = {file.name: file.package for file in files().values() if " VIEW " in file.statements}
    return declared | views | dict.fromkeys(RUNS, "runs")


@cache
def floors() -> dict[str, int]:
    """How high each package stands."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract for contract in contracts if contract["id"] == "layers")["layers"]
    return {name.strip(): -number for number, line in enumerate(layers) for name in line.split("|")}


@pytest.fixture(scope="module")
async def connection(migrated: Migrated) -> AsyncIterator[asyncpg.Connection]:
    async with new_database(migrated, "automatos_functions") as url:
        await migrate(url)
        connected = await asyncpg.connect(url)
        yield connected
        await connected.close()


DEFINITIONS = """
SELECT 'FUNCTION ' || p.oid::regprocedure AS name, pg_get_functiondef(p.oid) AS definition
FROM pg_proc p WHERE p.pronamespace = ANY(ARRAY['public', 'durable']::regnamespace[])
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT 'TRIGGER ' || t.tgname || ' ON ' || t.tgrelid::regclass, pg_get_triggerdef(t.oid)
FROM pg_trigger t WHERE NOT t.tgisinternal
UNION ALL
SELECT 'VIEW ' || c.oid::regclass, coalesce(c.reloptions::text, '') || pg_get_viewdef(c.oid)
FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace = ANY(ARRAY['public', 'durable']::regnamespace[])
"""


async def definitions(connection: asyncpg.Connection) -> dict[str, str]:
    return {row["name"]: row["definition"] for row in await connection.fetch(DEFINITIONS)}


async def test_what_migrations_made_is_what_the_files_say(connection: asyncpg.Connection) -> None:
    """Each file is run over the migrated database, and changes nothing there.

    Where it does: a migration with its own copy of the file is missing. CONTRIBUTING.md, "A database function".
    """
    made = await definitions(connection)
    transaction = connection.transaction()
    await transaction.start()
    for file in files().values():
        await connection.execute(file.text)
    said = await definitions(connection)
    await transaction.rollback()

    assert sorted(made.items() ^ said.items()) == []


async def test_each_of_them_has_one_file_of_its_name(connection: asyncpg.Connection) -> None:
    made = sorted(re.sub(r"\(.*| ON .*", "", name) for name in await definitions(connection))
    said = [(file.name, *found) for file in files().values() for found in MADE.findall(file.text)]

    assert sorted(f"{kind} {name}" for _, kind, name in said) == made
    assert [name for own, kind, name in said if kind != "TRIGGER" and name.rpartition(".")[2] != own] == []


def test_they_use_the_tables_of_their_own_package() -> None:
    strange = {(file.name, table) for file in files().values() for table in file.used
               if owners()[table] != file.package}
    assert any(file.used for file in files().values())
    assert strange == set(OTHERS_TABLES)


def test_they_call_functions_of_their_own_package_and_of_lower_ones() -> None:
    calls = [(file, called) for file in files().values() for called in files().values()
             if file.package != called.package and file.calls(called.name)]
    assert calls
    assert {(file.name, called.name) for file, called in calls
            if floors()[called.package] >= floors()[file.package]} == set(CALLS_UP)


def test_triggers_watch_tables_of_their_own_package_and_of_lower_ones() -> None:
    watched = [(file, table) for file in files().values() for table in file.watched]
    assert watched
    assert [(file.name, table) for file, table in watched if floors()[owners()[table]] > floors()[file.package]] == []


def test_what_nothing_uses_any_more_is_listed_with_the_release_that_drops_it() -> None:
    sent = "\n".join(
        node.value for path, tree in parsed().items() if is_queries(path)
        for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    used = {file.name for file in files().values() if file.name not in GOES_WITH and file.watched}
    used |= {name for name, file in files().items()
             if re.search(rf"\b{name}\(" if " FUNCTION " in file.statements else rf"(FROM|JOIN) {name}\b", sent)}
    while more := {name for name in files() if any(files()[each].calls(name) for each in used)} - used:
        used |= more

    assert set(files()) - used == set(GOES_WITH)
    assert [name for name, release in GOES_WITH.items() if numbers(release) <= numbers(__version__)] == []


COMPARED = re.compile(r"\bstatus(?:, '\w+'\))?\s*(?:=|<>|IN|NOT IN)\s*\(?\s*'\w+'", re.IGNORECASE)
WORDS_IN_SQL = {
    "agents/models.py": 1, "heartbeats/models.py": 1,  # conditions of indexes, which migrations have, too
    "agents/sql/unavailable_agents.sql": 1, "agents/sql/wake_agents.sql": 2,
    "recipes/queries/agent_work.py": 8,
    "llm/queries.py": 1, "llm/sql/add_usage.sql": 1,
    "runs/queries.py": 4, "runs/sql/reserve_tokens_v2.sql": 1,
}
"""Where SQL itself knows a status: these figures may only become smaller."""


def test_which_status_means_what_is_said_in_python() -> None:
    """SQL gets its statuses from the types, as parameters or in words that the types give."""
    texts = [(path, node.value) for path, tree in parsed().items() for node in ast.walk(tree)
             if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    texts += [(f"{file.package}/sql/{file.name}.sql", file.statements) for file in files().values()]
    found = {path: count for path in sorted({path for path, _ in texts})
             if (count := sum(len(COMPARED.findall(text)) for where, text in texts if where == path))}

    assert found
    assert {path: count for path, count in found.items() if count > WORDS_IN_SQL.get(path, 0)} == {}


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
