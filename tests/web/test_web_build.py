"""The web app's lock file is complete and names no address; its built first page keeps to the budget."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "src/automatos/static"
FIRST_ROUTE_JS_LIMIT = 170 * 1024
CSS_LIMIT = 15 * 1024
WHOLE_APP_LIMIT = 3 * 1024 * 1024


def lock_entries() -> dict[str, dict[str, Any]]:
    lock = json.loads((ROOT / "web/package-lock.json").read_text())
    return {name: entry for name, entry in lock["packages"].items() if name}


def gzipped(paths: list[str]) -> int:
    return sum(len(gzip.compress((STATIC / path.lstrip("/")).read_bytes())) for path in paths)


@pytest.fixture(name="index")
def built_index() -> str:
    page = STATIC / "index.html"
    if not page.is_file():
        pytest.skip("the web app is not built; run `python hatch_build.py`")
    return page.read_text()


def test_every_locked_package_has_an_integrity_hash_and_no_address() -> None:
    entries = lock_entries()

    assert [name for name, entry in entries.items() if "integrity" not in entry] == []
    assert [name for name, entry in entries.items() if "resolved" in entry] == []


def test_every_optional_dependency_is_locked_so_that_other_platforms_install_too() -> None:
    entries = lock_entries()
    locked = {name.rpartition("node_modules/")[2] for name in entries}
    optional = {other for entry in entries.values() for other in entry.get("optionalDependencies", {})}

    assert optional - locked == set()


def test_first_route_keeps_to_its_budget(index: str) -> None:
    scripts = re.findall(r'<(?:script|link rel="modulepreload")[^>]*(?:src|href)="([^"]+\.js)"', index)
    styles = re.findall(r'<link rel="stylesheet"[^>]*href="([^"]+\.css)"', index)

    assert scripts
    assert styles
    assert gzipped(scripts) <= FIRST_ROUTE_JS_LIMIT
    assert gzipped(styles) <= CSS_LIMIT


def test_whole_app_stays_small(index: str) -> None:
    assert index
    assert sum(path.stat().st_size for path in STATIC.rglob("*") if path.is_file()) <= WHOLE_APP_LIMIT


def test_first_page_holds_no_inline_script_and_names_no_other_host(index: str) -> None:
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", index) == []
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", index) == []
