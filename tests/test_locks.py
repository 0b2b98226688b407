"""What is installed is what was locked, from wherever the installer is told to look; no file names a place."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

ROOT = Path(__file__).parents[1]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
PINNED = re.compile(r"[A-Za-z0-9][\w.-]*(\[[\w,-]+\])?==[^\s;]+( ; .+)?")
ADDRESS = re.compile(r"\w+://|--(extra-)?index-url|--find-links|--trusted-host|^-i |\s@\s", re.MULTILINE)

REGISTRIES = [".".join(parts) for parts in (
    ("pypi", "org"), ("files", "pythonhosted", "org"), ("registry", "npmjs", "org"), ("registry", "yarnpkg", "com"),
    ("proxy", "golang", "org"), ("index", "crates", "io"), ("deb", "debian", "org"), ("nodejs", "org/dist"),
)]
PLACES = [f"/{'work'}/{folder}" for folder in ("main", "shared", "plan", ".library", ".mirror")]
TOOLS = [f"{name}.md" for name in ("HOUSE", "STACK", "RELIABILITY", "INTELLIGENCE", "PREFACE", "CONTRACT")] + [
    " ".join(("issues", "show")), " ".join(("helper", "session")),
]
"""Put together here, so that this file does not name them either."""


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_entry_is_pinned_and_hashed_and_says_nothing_of_where_it_comes_from(lock: Path) -> None:
    found = list(entries(lock))
    assert found
    assert [entry[:80] for entry in found if not PINNED.fullmatch(HASH.sub("", entry).strip())] == []
    assert [entry[:80] for entry in found if not HASH.search(entry)] == []
    assert ADDRESS.findall(lock.read_text("utf-8")) == []


def entries(lock: Path) -> Iterator[str]:
    """Yield the entries of a lock: continued lines joined, comments left out."""
    lines = (line for line in lock.read_text("utf-8").splitlines() if not line.lstrip().startswith("#"))
    for entry in "\n".join(lines).replace("\\\n", " ").splitlines():
        if entry.strip():
            yield re.sub(r"\s+", " ", entry).strip()


@pytest.mark.parametrize("shipped", ["requirements.lock", "requirements-temporal.lock", "requirements-otel.lock"])
def test_runtime_and_development_agree_on_versions(shipped: str) -> None:
    runtime, development = [
        dict(HASH.sub("", entry).split(" ;")[0].strip().split("==") for entry in entries(ROOT / name))
        for name in (shipped, "requirements-dev.lock")
    ]
    assert {name: development.get(name) for name in runtime} == runtime


def test_web_packages_are_hashed_and_say_nothing_of_where_they_come_from() -> None:
    lock = ROOT / "web/package-lock.json"
    packages = orjson.loads(lock.read_bytes())["packages"]
    installed = {path: entry for path, entry in packages.items() if path}
    assert installed
    assert [path for path, entry in installed.items() if not entry.get("integrity", "").startswith("sha512-")] == []
    assert [path for path, entry in installed.items() if "resolved" in entry] == []


def test_no_file_names_a_package_registry_or_the_place_where_it_was_written() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False,
    )
    if listed.returncode:
        pytest.skip("not a checkout")
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    forbidden = re.compile("|".join(re.escape(word) for word in [*REGISTRIES, *PLACES, *TOOLS]).encode())
    assert len(files) > 100
    assert [
        f"{path.relative_to(ROOT)}: {match[0].decode()}"
        for path in files if path.is_file() and (match := forbidden.search(path.read_bytes()))
    ] == []
