"""The server's key replaced by a new one, in an order that can be broken off anywhere and begun again."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from automatos.credentials.service import reseal_credentials
from automatos.durable.service import other_machines
from automatos.entrypoints.migrate import Migrated
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database
from automatos.kernel.errors import Problem

BETWEEN_PASSES_S = 1.0
PASSES = 10


class RotationRefused(Problem):
    """The key cannot be rotated now."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = "rotation_refused"
    title: ClassVar[str] = "The key cannot be rotated now"


@dataclass(frozen=True)
class Rotation:
    """What a rotation did; `was_continued` says that it finished an earlier one instead of making a key."""

    resealed: int
    unreadable: int
    removed_keys: int
    was_continued: bool


async def rotate_key(settings: Settings, migrated: Migrated, *, keys_are_shared: bool) -> Rotation:
    """Make a new key, seal everything again under it, and remove the older ones when nothing needs them any more.

    Processes on this machine that run meanwhile take the new key up by themselves.

    Raises:
        RotationRefused: processes on other machines work on the database and may not see this machine's key files, or
            something is sealed with an older key again and again.
    """
    vault = Vault(settings)
    database = Database(migrated.url, role=migrated.role, pool_size=2)
    await database.open()
    try:
        if not keys_are_shared and (machines := await other_machines(database)):
            raise RotationRefused(
                f"Processes on other machines work on this database ({', '.join(machines)}). Where they read this "
                "key folder over a shared file system, say so with --shared-keys. Otherwise stop them first, and copy "
                f"{settings.home / 'keys'} to them afterwards.")
        was_continued = vault.key_count > 1
        if not was_continued:
            vault.add_key()
        count = 0
        for _ in range(PASSES):
            done = await reseal_credentials(database, vault)
            count += done.count
            await asyncio.sleep(BETWEEN_PASSES_S)  # a process that was sealing when the key came has written by then
            if not done.count:
                return Rotation(count, done.unreadable, vault.retire_old_keys(), was_continued)
        raise RotationRefused("Values are sealed with an older key again and again: a process does not see the new key "
                              f"file in {settings.home / 'keys'}. Stop it and rotate again; nothing is lost.")
    finally:
        await database.close()
