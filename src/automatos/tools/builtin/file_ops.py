"""read_file, write_file, list_directory: the execution's own folder."""

import asyncio
import hashlib
from typing import Any

from automatos.tools.room import Room
from automatos.tools.tool_deps import ToolDeps

MAX_READ_BYTES = 60_000
MAX_ENTRIES = 500


async def read_file(arguments: dict[str, Any], deps: ToolDeps) -> str:
    """Return a piece of a text file, and where to read on."""
    path, offset = str(arguments["path"]), int(arguments.get("offset", 0))
    content, size = await asyncio.to_thread(deps.jail.read, path, offset, MAX_READ_BYTES)
    text = content.decode("utf-8", "replace")
    end = offset + len(content)
    return f"{text}\n[{size - end} more bytes; read on with offset {end}]" if end < size else text


async def write_file(arguments: dict[str, Any], deps: ToolDeps) -> str:
    """Replace a file; the same call made again after a crash changes nothing."""
    path, content = str(arguments["path"]), str(arguments["content"]).encode()
    return await asyncio.to_thread(_write_once, deps, await deps.room(), path, content)


async def list_directory(arguments: dict[str, Any], deps: ToolDeps) -> str:
    """List a folder, one entry a line."""
    found = await asyncio.to_thread(deps.jail.entries, str(arguments.get("path", ".")))
    lines = [f"{name}/" if kind == "folder" else f"{name} ({size} bytes{', a link' if kind == 'link' else ''})"
             for name, kind, size in found[:MAX_ENTRIES]]
    if len(found) > MAX_ENTRIES:
        lines.append(f"[{len(found) - MAX_ENTRIES} more]")
    return "\n".join(lines) or "The folder is empty."


def _write_once(deps: ToolDeps, room: Room, path: str, content: bytes) -> str:
    told = f"Wrote {len(content)} bytes to {path}."
    mark = deps.effects / hashlib.sha256(deps.context.call_key.encode()).hexdigest()
    if mark.exists():
        return told
    room.refuse_beyond(deps.files, len(content))
    deps.jail.write(path, content)
    mark.touch()
    return told
