"""What a process loads is not looked through, and nothing is loaded that a start does not need."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from automatos.kernel.memory import load, settle

MOST_MODULES = 1_400
"""1,371 when this was written: what many modules more are for is worth a look."""


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.enable()
    gc.unfreeze()


def looks() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())


def test_nothing_is_collected_between_load_and_settle() -> None:
    load()
    before = looks()
    kept = [[each] for each in range(100_000)]
    assert looks() == before

    settle()

    assert looks() == before
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(kept)


def test_models_of_answers_are_built_when_the_first_answer_needs_them() -> None:
    script = (
        "import automatos.entrypoints.api\n"
        "from automatos.kernel.schemas import Out\n"
        "from automatos.recipes.run_schemas import RunEvent, TopicEvent\n"
        "def below(kind):\n"
        "    for each in kind.__subclasses__():\n"
        "        yield each\n"
        "        yield from below(each)\n"
        "models = [*below(Out), RunEvent, TopicEvent]\n"
        "assert not any(each.__pydantic_complete__ for each in (RunEvent, TopicEvent))\n"
        "print(len(models), sum(each.__pydantic_complete__ for each in models))")
    known, built = map(int, subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                                           check=True).stdout.split())

    assert known > 100
    assert built < known / 10


def test_what_only_some_servers_or_pages_need_is_loaded_when_they_need_it() -> None:
    script = "import sys, automatos.entrypoints.api, automatos.entrypoints.services; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()

    assert {each.partition(".")[0] for each in loaded} & {
        "alembic", "authlib", "boto3", "botocore", "genai_prices", "joserfc", "jwt", "markdown_it", "mcp", "pytest",
        "redis", "temporalio", "typer"} == set()
    assert len(loaded) < MOST_MODULES


def test_the_database_starts_before_the_application_is_loaded(tmp_path: Path) -> None:
    """Both take about as long and run at once; whatever loads the application earlier makes the start longer."""
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from automatos.entrypoints import serve\n"
        "from automatos.kernel.config import Settings\n"
        "from automatos.kernel.errors import DatabaseRefused\n"
        "async def announce(services, url):\n"
        "    pass\n"
        "async def prepare(settings):\n"
        "    print('loaded:', *{'aiohttp', 'cryptography', 'fastapi', 'jwt', 'sqlalchemy'} & set(sys.modules))\n"
        "    raise DatabaseRefused('seen')\n"
        "serve.prepare, serve._import_application = prepare, lambda: None\n"
        "try:\n"
        "    settings = Settings(home=Path(sys.argv[1]), port=0)\n"
        "    asyncio.run(serve.serve(settings, works=True, announce=announce, tell=print))\n"
        "except DatabaseRefused as refused:\n"
        "    print(refused.detail)\n")
    told = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)

    assert told.stdout.splitlines()[1:] == ["loaded:", "seen"]
