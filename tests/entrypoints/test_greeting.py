"""What `automatos up` tells: at the terminal's width, and a model "answers" only when it can be asked."""

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from automatos.entrypoints import greeting
from automatos.entrypoints.api import create_app
from automatos.entrypoints.greeting import greet, tell, wrapped
from automatos.entrypoints.migrate import Migrated, migrate
from automatos.entrypoints.services import Services
from automatos.kernel.config import Settings
from automatos.kernel.ids import new_id
from tests.fakes.model_server import ModelServer
from tests.fakes.model_strict import strict
from tests.surface import serving
from tests.test_migrations import new_database

URL = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
async def own_url(migrated: Migrated) -> AsyncIterator[str]:
    """A database of these tests alone, so that no other server takes their work."""
    async with new_database(migrated, "automatos_greeting") as url:
        await migrate(url)
        yield url


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, model_server: ModelServer) -> list[tuple[str, int]]:
    """Every line, with how many requests had reached the model when it was said."""
    lines: list[tuple[str, int]] = []
    monkeypatch.setattr(greeting, "put", lambda line: lines.append((line, len(model_server.calls))))
    return lines


async def greeted(url: str, home: Path, **environment: Any) -> None:
    settings = Settings(home=home, workspace_id=new_id(), rate_limit="100000/minute", demo_delay_ms=0, **environment)
    services = Services(settings, url, role="automatos_app")
    async with serving(create_app(services), services):
        await greet(settings, works=True, opens_browser=False, started_at=time.monotonic())(services, URL)


def about(lines: list[tuple[str, int]], word: str) -> tuple[str, int]:
    found = [line for line in lines if line[0].startswith(word)]
    assert len(found) == 1, lines
    return found[0]


@pytest.mark.parametrize("columns", [50, 80, 200])
def test_lines_are_as_wide_as_the_terminal_and_addresses_stay_whole(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr(greeting, "shutil", SimpleNamespace(
        get_terminal_size=lambda: os.terminal_size((columns, 24))))
    address = f"{URL}/{'a' * 60}"

    lines = wrapped(f"{greeting.PLUG_IN} See {address} for more.").split("\n")

    assert all(len(line) < columns for line in lines if address not in line)
    assert any(address in line for line in lines)
    assert len(lines[0]) > columns * 3 // 4


def test_a_pipe_gets_whole_sentences() -> None:
    assert "\n" not in wrapped(greeting.PLUG_IN)


def test_that_nobody_listens_any_more_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(greeting, "put", broken)

    tell("Stopping")


async def test_with_a_providers_key_the_price_is_told_before_anything_is_asked(
    own_url: str, model_server: ModelServer, tmp_path: Path, said: list[tuple[str, int]]
) -> None:
    model_server.strict = strict("mistral")

    await greeted(own_url, tmp_path, mistral_api_key=SecretStr("sk-greeting-0001"), mistral_base_url=model_server.url)

    assert " answers (from " in about(said, "Model: mistral")[0]
    price, asked_before = about(said, "Sample: about ")
    assert f"about {greeting.SAMPLE_CALLS} requests now go to mistral " in price
    assert "AUTOMATOS_COOK_SAMPLE=false" in price
    assert asked_before == 0
    assert about(said, "sample recipe completed")[1] == greeting.SAMPLE_CALLS


async def test_the_demo_costs_nothing_and_nothing_is_said_of_a_price(
    own_url: str, tmp_path: Path, said: list[tuple[str, int]]
) -> None:
    await greeted(own_url, tmp_path)

    assert "demo provider answers" in about(said, "Model:")[0]
    assert not [line for line, _ in said if line.startswith("Sample:")]


@pytest.mark.parametrize("environment", [
    {"default_llm_provider": "groq", "default_llm_model": "fake-model"},
    {"default_llm_provider": "nonsense", "default_llm_model": "fake-model"}, {"default_llm_model": "unheard-of"},
], ids=["no key", "no provider", "nobody's model"])
async def test_a_model_that_cannot_be_asked_does_not_answer(
    own_url: str, tmp_path: Path, said: list[tuple[str, int]], environment: dict[str, Any]
) -> None:
    await greeted(own_url, tmp_path, cook_sample=False, **environment)

    line = about(said, "Model:")[0]
    assert "cannot answer" in line or "none can answer" in line
    assert " answers" not in line


async def test_the_one_thing_to_do_stands_alone_between_empty_lines(
    own_url: str, tmp_path: Path, said: list[tuple[str, int]]
) -> None:
    await greeted(own_url, tmp_path, cook_sample=False)

    lines = [line for line, _ in said]
    at = next(number for number, line in enumerate(lines) if "/setup?token=" in line)
    assert lines[at].startswith(f"  Open this link to begin: {URL}/setup?token=")
    assert (lines[at - 1], lines[at + 2]) == ("", "")


@pytest.mark.parametrize(("log_format", "is_told"), [("auto", True), ("json", False), ("text", False)])
async def test_the_log_is_named_where_it_is_a_file(
    own_url: str, tmp_path: Path, said: list[tuple[str, int]], log_format: str, is_told: bool
) -> None:
    await greeted(own_url, tmp_path, cook_sample=False, log_format=log_format)

    assert ((f"Log: {tmp_path}/logs/server.log", 0) in said) is is_told
