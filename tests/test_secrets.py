"""Nothing secret is committed, and the judge of that knows a key when it sees one."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from automatos.workspaces.tokens import new_key
from automatos.workspaces.types import KeyType
from tests.scripts import load_script

ROOT = Path(__file__).parents[1]
SECRETS = ROOT / ".ci/secrets"
BODY = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5hJ7kL9" * 2


@pytest.fixture(scope="module")
def secrets() -> Any:
    return load_script(SECRETS)


@pytest.mark.parametrize("text", [
    f"-----BEGIN PRIVATE {'KEY'}-----\n{BODY}\n", "AKIA" + "ABCDEFGHIJ234567", f"ghp_{BODY[:36]}",
    f"github_pat_{BODY[:70]}", f"glpat-{BODY[:20]}", f"sk-proj-{BODY[:60]}", f"sk-ant-{BODY[:50]}", f"AIza{BODY[:35]}",
    f"xoxb-{BODY[:30]}", f"npm_{BODY[:36]}", f"pypi-AgEI{BODY[:60]}", f"ak_srv_{BODY[:43]}",
    f"postgresql://me:{BODY[:20]}@db.example.com/x",
])
def test_a_key_of_the_form_of_one_in_use_is_found_and_not_repeated(secrets: Any, tmp_path: Path, text: str) -> None:
    (tmp_path / "notes.txt").write_text(f"first line\nvalue = {text}\n")
    found, = secrets.found_in(tmp_path / "notes.txt")
    assert "notes.txt:2: " in found
    assert text[:16] not in found


def test_keys_that_this_product_makes_are_found(secrets: Any, tmp_path: Path) -> None:
    keys = [new_key(kind).reveal() for kind in KeyType]
    (tmp_path / "notes.txt").write_text("\n".join(keys))
    assert len(secrets.found_in(tmp_path / "notes.txt")) == len(keys)


@pytest.mark.parametrize("name", [".env", "id_ed25519", "server.pem", "tls.key"])
def test_a_file_of_keys_is_found_by_its_name(secrets: Any, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("anything")
    assert secrets.found_in(tmp_path / name) == [f"{tmp_path / name}: a file of keys"]


@pytest.mark.parametrize("text", [
    "sk-test", "sk-scripted-0123456789", "postgresql://automatos:password@localhost:5432/automatos", "ghp_short",
    "postgresql://{user}:{password}@{host}/x", f"sha256:{'65a93d69fa75478d' * 4}",
])
def test_what_no_key_looks_like_is_left_alone(secrets: Any, tmp_path: Path, text: str) -> None:
    (tmp_path / "notes.txt").write_text(text)
    assert secrets.found_in(tmp_path / "notes.txt") == []


def test_the_check_fails_on_a_file_with_a_key(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text(f"glpat-{BODY[:20]}")
    done = subprocess.run([sys.executable, SECRETS, tmp_path / "notes.txt"], capture_output=True, check=False)
    assert done.returncode == 1


def test_the_files_of_this_checkout_hold_none() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    done = subprocess.run([sys.executable, SECRETS], capture_output=True, text=True, check=False)
    assert (done.returncode, ", 0 secrets" in done.stdout) == (0, True), done.stdout
