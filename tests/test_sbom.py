"""The bill of materials names what is shipped, the same each time, and its judge refuses what may not be shipped."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.scripts import load_script

ROOT = Path(__file__).parents[1]
SBOM = ROOT / ".ci/sbom"


@pytest.fixture(scope="module")
def sbom() -> Any:
    return load_script(SBOM)


def test_every_locked_package_is_in_it_with_its_hashes_and_nothing_of_the_tests(tmp_path: Path) -> None:
    made = [tmp_path / name for name in ("one.json", "dist/two.json")]
    for path in made:
        subprocess.run([sys.executable, SBOM, path], cwd=tmp_path, check=True)
    bill = json.loads(made[0].read_text())

    purls = {each["purl"]: each for each in bill["components"]}
    names = {purl.rpartition("@")[0] for purl in purls}
    assert made[0].read_bytes() == made[1].read_bytes()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert {"pkg:pypi/fastapi", "pkg:pypi/asyncpg", "pkg:npm/react"} <= names
    assert not {"pkg:pypi/pytest", "pkg:npm/vitest", "pkg:npm/vite"} & names
    assert all(each["hashes"] for each in purls.values())


def test_what_is_shipped_may_be_shipped() -> None:
    done = subprocess.run([sys.executable, SBOM, "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, "may be shipped" in done.stdout) == (0, True), done.stdout


@pytest.mark.parametrize(("licence", "is_wrong"), [
    ("MIT", False), ("Apache-2.0 OR BSD-3-Clause", False), ("LGPL-3.0-only", False), ("GPL-3.0-only", True),
    ("AGPL-3.0-or-later", True), ("SSPL-1.0", True), ("Ask us", True), ("", True),
])
def test_a_licence_is_judged_by_name(sbom: Any, licence: str, is_wrong: bool) -> None:
    package = sbom.component("npm", "x", "1.0", [("SHA-512", "00")]) | {"licenses": [{"expression": licence}]}
    assert bool(sbom.faults([package])) is is_wrong


def test_a_package_without_a_hash_is_named(sbom: Any) -> None:
    assert sbom.faults([sbom.component("npm", "@a/b", "1.0", [], "MIT")]) == ["pkg:npm/%40a/b@1.0 has no hash"]
