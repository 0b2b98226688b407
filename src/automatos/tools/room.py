"""Room for files: what all executions of a workspace may hold together, and what gives way when they hold it."""

import asyncio
import shutil
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import structlog

from automatos.tools import quota
from automatos.tools.types import ToolContext

log = structlog.get_logger(__name__)
MEASURED_FOR_S = 30.0
"""How long sizes are believed that other processes may have changed; what this one writes counts at once."""
MAX_KNOWN = 1000
Unfinished = Callable[[UUID], Awaitable[frozenset[str]]]
"""Which executions of a workspace still need their folder, by id."""


@dataclass
class _Workspace:
    """What is known of a workspace's folder: the size of each execution's, and when all of them were measured."""

    folder: Path
    held: dict[str, int] = field(default_factory=dict[str, int])
    measured_at: float | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True)
class Room:
    """What the files of one execution may take, whatever the others of its workspace write meanwhile."""

    most_together: int
    name: str
    _workspace: _Workspace

    @property
    def most(self) -> int:
        """How many bytes the files may take now."""
        others = sum(size for name, size in self._workspace.held.items() if name != self.name)
        return max(0, min(quota.MAX_BYTES, self.most_together - others))

    def note(self, held: int) -> None:
        """Say how many bytes the files take by now."""
        self._workspace.held[self.name] = held

    def refuse_beyond(self, folder: Path, more: int) -> None:
        """Refuse a file of so many bytes where there is no room for it.

        Raises:
            ToolRefused: the execution's files, or those of its workspace, take what they may.
        """
        held, added = quota.measure(folder), max(more, quota.ENTRY_BYTES)
        self.note(held + added)
        if held + added > self.most:
            self.note(held)
            raise quota.full(held, self.most)

    async def wait_until_beyond(self, folder: Path) -> None:
        """Return once a folder holds more than it may; a command that makes it so is stopped then."""
        while True:
            held = await asyncio.to_thread(quota.measure, folder)
            self.note(held)
            if held > self.most:
                return
            await asyncio.sleep(quota.LOOKS_EVERY_S)


def room_alone(folder: Path) -> Room:
    """Return the room of files that belong to no workspace."""
    return Room(quota.MAX_BYTES, folder.name, _Workspace(folder))


class Folders:
    """The folders of all executions, by workspace; `most` is what a workspace's may hold together."""

    def __init__(self, most: int, unfinished: Unfinished | None = None) -> None:
        self._most = most
        self._unfinished = unfinished
        self._known: OrderedDict[Path, _Workspace] = OrderedDict()

    async def room(self, context: ToolContext) -> Room:
        """Return an execution's room; folders of executions that have ended give way to it, the oldest first."""
        workspace = self._workspace(context.home.parent)
        room = Room(self._most, context.home.name, workspace)
        async with workspace.lock:
            if workspace.measured_at is None or time.monotonic() - workspace.measured_at > MEASURED_FOR_S:
                workspace.held = await asyncio.to_thread(_sizes, workspace.folder)
                workspace.measured_at = time.monotonic()
            if room.most < quota.MAX_BYTES and self._unfinished:
                await self._give_way(room, workspace, await self._unfinished(context.workspace_id))
        return room

    def _workspace(self, folder: Path) -> _Workspace:
        found = self._known.setdefault(folder, _Workspace(folder))
        self._known.move_to_end(folder)
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return found

    async def _give_way(self, room: Room, workspace: _Workspace, needed: frozenset[str]) -> None:
        over = {name for name in workspace.held if name not in needed and name != room.name}
        for name in await asyncio.to_thread(_oldest_first, workspace.folder, over):
            if room.most >= quota.MAX_BYTES:
                break
            await asyncio.to_thread(shutil.rmtree, workspace.folder / name, ignore_errors=True)
            log.info("tools.folder_gave_way", workspace=workspace.folder.name, execution_id=name,
                     size=workspace.held.pop(name))


def _sizes(folder: Path) -> dict[str, int]:
    """Return what each execution's folder takes; one that is too large, only that it is."""
    try:
        return {each.name: quota.measure(each) for each in folder.iterdir() if each.is_dir() and not each.is_symlink()}
    except FileNotFoundError:
        return {}


def _oldest_first(folder: Path, names: set[str]) -> list[str]:
    def changed_at(name: str) -> float:
        try:
            return (folder / name).stat().st_mtime
        except OSError:
            return 0.0

    return sorted(names, key=changed_at)
