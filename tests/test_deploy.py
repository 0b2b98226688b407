"""The deployment files are true: what they name exists, and what they promise is set."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from automatos import __version__
from automatos.cli.main import app
from automatos.kernel.config import Settings, known_variables

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
READ_BY_COMPOSE = {"PUBLISH_ADDRESS", "PUBLISH_PORT"}
PINNED = re.compile(r"[a-z/]+:\d+\.\d+\.\d+-[\w.-]+@sha256:[0-9a-f]{64}")
OF_PYTHON = {"PATH", "PYTHONDONTWRITEBYTECODE"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def image() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip()]
    return [(word, " ".join(rest.split())) for word, _, rest in (line.partition(" ") for line in lines)]


@pytest.fixture(scope="module")
def example() -> dict[str, str]:
    """Every variable of env.example, also those that are switched off."""
    found = re.findall(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", (DEPLOY / "env.example").read_text(), flags=re.MULTILINE)
    assert len(dict(found)) == len(found), "a variable is there twice"
    return dict(found)


def servers(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: each for name, each in compose["services"].items() if "build" in each}


def test_every_command_exists_with_its_options(compose: dict[str, Any], image: list[tuple[str, str]]) -> None:
    commands = [service["command"] for service in servers(compose).values()]
    commands += [yaml.safe_load(rest) for word, rest in image if word == "CMD"]
    assert ("ENTRYPOINT", '["automatos"]') in image
    assert sorted(command[0] for command in commands) == ["up", "up", "worker"]
    known = typer.main.get_command(app).commands
    for name, *options in commands:
        taken = {option for parameter in known[name].params for option in parameter.opts}
        assert set(options) <= taken, f"automatos {name} takes no {set(options) - taken}"


def test_the_api_leaves_the_work_to_workers(compose: dict[str, Any]) -> None:
    assert "--no-worker" in compose["services"]["api"]["command"]


def test_every_variable_means_something(
    compose: dict[str, Any], image: list[tuple[str, str]], example: dict[str, str]
) -> None:
    in_image = {pair.partition("=")[0] for word, rest in image if word == "ENV" for pair in shlex.split(rest)}
    in_services = {name for service in servers(compose).values() for name in service["environment"]}
    assert in_image - OF_PYTHON <= known_variables()
    assert in_services <= known_variables()
    assert set(example) - READ_BY_COMPOSE <= known_variables()
    substituted = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))
    assert substituted <= set(example)


def test_the_example_can_be_used_as_it_is(
    compose: dict[str, Any], example: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)
    for name, value in (example | {"POSTGRES_PASSWORD": "p@ss/word:"} | compose["x-addresses"]).items():
        if value and "${" not in value:
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("POSTGRES_PASSWORD", "p@ss/word:")
    settings = Settings()
    assert settings.external_database_url == "postgresql://automatos:p%40ss%2Fword%3A@database:5432/automatos"
    assert settings.redis == "redis://redis:6379/0"


def test_nothing_secret_has_a_value_in_the_example(example: dict[str, str]) -> None:
    secret = {name for name in example if re.search(r"PASSWORD|SECRET|_KEY$|TOKEN", name)}
    assert secret
    assert {name: example[name] for name in secret if example[name]} == {}


def test_ports_agree(compose: dict[str, Any], image: list[tuple[str, str]]) -> None:
    default = str(Settings.model_fields["port"].default)
    assert ("EXPOSE", default) in image
    assert f"AUTOMATOS_PORT={default}" in next(rest for word, rest in image if word == "ENV")
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert [port.rpartition(":")[2] for port in published] == [default]
    assert published[0].startswith("${PUBLISH_ADDRESS:-127.0.0.1}:"), "opened to others only on request"


def test_every_copied_file_exists_and_is_not_ignored(image: list[tuple[str, str]]) -> None:
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {name for word, rest in image if word == "COPY" and "--from" not in rest for name in rest.split()[:-1]}
    assert copied == kept
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_installs_only_what_the_locks_name(image: list[tuple[str, str]]) -> None:
    installs = [part for word, rest in image if word == "RUN" for part in rest.split("&&") if " install " in part]
    python = [part for part in installs if re.search(r"\bpip\b", part)]
    assert len(python) == 3
    for part in python:
        assert ("--require-hashes" in part and "--no-deps" in part) or "--no-index" in part, part
    assert any("*.pth" in rest and "exit 1" in rest for word, rest in image if word == "RUN")


def test_runs_as_nobody_special(compose: dict[str, Any], image: list[tuple[str, str]]) -> None:
    words = [word for word, _ in image]
    assert ("USER", "automatos") in image
    assert words.index("USER") > max(at for at, word in enumerate(words) if word == "RUN")
    for service in servers(compose).values():
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True


def test_the_health_check_asks_the_servers_own_route(compose: dict[str, Any], image: list[tuple[str, str]]) -> None:
    check = next(rest for word, rest in image if word == "HEALTHCHECK")
    assert "/health" in check
    program = yaml.safe_load(check[check.index("CMD") + 3:])
    compile(program[2], "HEALTHCHECK", "exec")
    assert compose["services"]["worker"]["healthcheck"] == {"disable": True}


def test_every_process_has_the_same_home(compose: dict[str, Any], image: list[tuple[str, str]]) -> None:
    home = next(rest for word, rest in image if word == "VOLUME")
    assert f"AUTOMATOS_HOME={home}" in next(rest for word, rest in image if word == "ENV")
    for service in servers(compose).values():
        assert service["volumes"] == [f"home:{home}"]


def test_images_are_pinned(compose: dict[str, Any], image: list[tuple[str, str]]) -> None:
    names = [service["image"] for service in compose["services"].values()]
    names += [f"python:{rest.removeprefix('PYTHON=')}" for word, rest in image
              if word == "ARG" and rest.startswith("PYTHON=")]
    others = [name for name in names if name != f"automatos:{__version__}"]
    assert len(others) == 3
    assert [name for name in others if not PINNED.fullmatch(name)] == []


def test_the_build_starts_from_nothing_that_may_change(image: list[tuple[str, str]]) -> None:
    """Each stage starts from the one pinned image, and no instructions are read by a program from elsewhere."""
    bases = [rest.partition(" AS ")[0] for word, rest in image if word == "FROM"]
    copied = {part for word, rest in image if word == "COPY" for part in rest.split() if part.startswith("--from=")}
    stages = {f"--from={rest.partition(' AS ')[2]}" for word, rest in image if word == "FROM"}
    assert set(bases) == {"python:${PYTHON}"}
    assert copied <= stages
    assert not re.search(r"^#\s*syntax\s*=", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE | re.IGNORECASE)


def test_the_database_has_pgvector_and_room_for_every_process(compose: dict[str, Any]) -> None:
    database = compose["services"]["database"]
    assert re.match(r"pgvector/pgvector:[\d.]+-pg17@", database["image"])
    assert "ports" not in database
    assert "ports" not in compose["services"]["redis"]
    limit = int(re.search(r"max_connections=(\d+)", " ".join(database["command"]))[1])
    pool = Settings.model_fields["database_pool_size"].default
    assert limit // (pool * 2 + pool * 2 + pool // 2 + 1) >= 4


def test_the_wheel_carries_what_an_installed_server_reads() -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert built["targets"]["wheel"]["force-include"] == {
        "migrations": "automatos/migrations", "examples": "automatos/examples",
        "docs/how-to": "automatos/docs/how-to", "docs/reference": "automatos/docs/reference",
        "docs/start-here.md": "automatos/docs/start-here.md",
    }
    assert built["artifacts"] == ["src/automatos/static/**"]


def test_the_second_file_adds_temporal_to_every_process_that_works(
    compose: dict[str, Any], image: list[tuple[str, str]]
) -> None:
    added = yaml.safe_load((DEPLOY / "compose.temporal.yaml").read_text())["services"]
    assert set(added) == set(servers(compose))
    for service in added.values():
        lock = service["build"]["args"]["LOCK"]
        assert "temporalio==" in (ROOT / lock).read_text()
        assert ("ARG", "LOCK=requirements.lock") in image
        assert service["environment"].keys() <= known_variables()
    assert "temporalio==" not in (ROOT / "requirements.lock").read_text()


def test_the_image_is_named_after_the_version(compose: dict[str, Any]) -> None:
    assert {service["image"] for service in servers(compose).values()} == {f"automatos:{__version__}"}
