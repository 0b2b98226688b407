"""What a tool works with: the call it serves, the guarded web, the sandbox."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automatos.tools.guard import Fetched, Outgoing, WebGuard
from automatos.tools.jail import Jail
from automatos.tools.room import Folders, Room
from automatos.tools.sandbox import Sandbox, prepare_folder
from automatos.tools.types import ToolContext

BYTES_OF_A_MEGABIT = 125_000


@dataclass(frozen=True, slots=True)
class ToolDeps:
    """Everything one call may use; tools reach nothing else."""

    context: ToolContext
    web: WebGuard
    sandbox: Sandbox
    folders: Folders

    async def fetch(self, asked: Outgoing) -> Fetched:
        """Make a web request, no faster than the agent may read; raises `ToolRefused`."""
        limits = self.context.limits
        bytes_per_s = limits.network_bandwidth * BYTES_OF_A_MEGABIT if limits else None
        return await self.web.fetch(asked, bytes_per_s=bytes_per_s)

    async def room(self) -> Room:
        """Return what the agent's files may take now."""
        return await self.folders.room(self.context)

    @property
    def files(self) -> Path:
        """The folder the agent sees, made when first asked for."""
        folder = self.context.home / "files"
        if not folder.is_dir():
            prepare_folder(folder)
        return folder

    @property
    def jail(self) -> Jail:
        """The same folder, for reading and writing without leaving it."""
        return Jail(self.files)

    @property
    def effects(self) -> Path:
        """Where the marks of effects already made are kept, out of the agent's reach."""
        folder = self.context.home / "effects"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


Runner = Callable[[dict[str, Any], ToolDeps], Awaitable[str]]
"""A tool: checked arguments in, text for the model out; raises `ToolRefused` for what it will not or cannot do."""
