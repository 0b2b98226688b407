"""Users without a home, homes that cannot be written, keys that others may read: a plain line, never a traceback."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from automatos.cli.main import main
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from tests.chaos.processes import AUTOMATOS, environment

TIMEOUT_S = 60
COMMANDS = [("up",), ("worker",), ("doctor",), ("db", "upgrade"), ("key", "rotate"), ("run", "list")]


def unknown_user(uid: int) -> pwd.struct_passwd:
    raise KeyError(f"getpwuid(): uid not found: {uid}")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_user_without_a_home_is_told_which_variable_to_set(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in os.environ if name == "HOME" or name.startswith("AUTOMATOS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(pwd, "getpwuid", unknown_user)
    monkeypatch.setattr(sys, "argv", ["automatos", *command])

    with pytest.raises(SystemExit) as left:
        main()

    assert left.value.code
    assert "AUTOMATOS_HOME" in capsys.readouterr().err


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    said_plainly(environment(tmp_path) | {"AUTOMATOS_HOME": "/proc/1/home"}, "/proc/1/home cannot be written")


def test_a_key_that_everybody_may_read_stops_the_start_in_one_line(tmp_path: Path) -> None:
    variables = environment(tmp_path / "home")
    home = Path(variables["AUTOMATOS_HOME"])
    Vault(Settings(home=home))
    (home / "keys" / "0001.key").chmod(0o644)

    said_plainly(variables, "chmod 600")


def said_plainly(variables: dict[str, str], words: str) -> None:
    done = subprocess.run([str(AUTOMATOS), "up"], env=variables | {"AUTOMATOS_PORT": "0"}, check=False,
                          capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
