"""Scripts that came with a skill: run in the sandbox or not at all, on a copy that the script cannot change."""

import asyncio
import secrets
import shlex
import shutil
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import orjson

from automatos.tools.errors import ToolRefused
from automatos.tools.jail import split_path
from automatos.tools.sandbox import Order, prepare_folder
from automatos.tools.tool_deps import ToolDeps
from automatos.tools.types import Script

PROGRAMS = MappingProxyType({".py": "python3", ".sh": "sh"})
MAX_TIME_S = 60.0


async def run_script(script: Script, deps: ToolDeps) -> str:
    """Run a script with its arguments as JSON on standard input and return what it printed.

    The working directory is the execution's own folder; the skill's files lie read-only in /skill. An exit code other
    than 0 refuses the call with what was printed.
    """
    program = PROGRAMS.get(PurePosixPath(script.command).suffix)
    if program is None or script.command not in script.files:
        raise ToolRefused("tool_off", f"{script.command!r} is not a Python or shell script of the skill.")
    if deps.sandbox.off_reason:
        raise ToolRefused("tool_off", f"Scripts of skills are off on this server: {deps.sandbox.off_reason}")
    timeout_s = min(MAX_TIME_S, deps.context.deadline_s)
    async with _laid_out(script, deps.context.home) as place:
        done = await deps.sandbox.run(Order(
            f"exec {program} {shlex.quote(f'/skill/{script.command}')}", deps.files, timeout_s, deps.context.limits,
            extra=place / "skill", given=place / "arguments.json", room=await deps.room(),
        ))
    output = done.output + ("\n[output cut]" if done.is_cut else "")
    if done.exit_code:
        raise ToolRefused("script_failed", f"{script.command} ended with exit code {done.exit_code}.\n{output}")
    return output


@asynccontextmanager
async def _laid_out(script: Script, home: Path) -> AsyncGenerator[Path]:
    """Write the files where only this call finds them, and remove them afterwards."""
    place = home / "scripts" / secrets.token_hex(8)
    try:
        await asyncio.to_thread(_lay_out, place, script)
        yield place
    finally:
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)


def _lay_out(place: Path, script: Script) -> None:
    prepare_folder(place)
    (place / "arguments.json").write_bytes(orjson.dumps(script.arguments))
    _write(place / "skill", script.files)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files for everybody to read: the place above lets nobody in but the sandbox."""
    for path, content in files.items():
        target = folder.joinpath(*split_path(path))
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(0o644)
    for inner in [folder, *(found for found in folder.rglob("*") if found.is_dir())]:
        inner.chmod(0o755)
