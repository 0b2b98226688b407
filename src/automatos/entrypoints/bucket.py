"""Backups in the S3 bucket of the settings, for servers whose own disks do not last."""

import tempfile
from pathlib import Path

from automatos.entrypoints.archive import BackupRefused, Manifest
from automatos.entrypoints.backup import make_backup
from automatos.entrypoints.restore import Restored, restore_backup
from automatos.entrypoints.startup import make_home
from automatos.kernel.blobs import KEY, BlobMissing, Blobs, open_store
from automatos.kernel.config import Settings

FOLDER = "server/backups"


async def back_up_to_bucket(settings: Settings, name: str) -> Manifest:
    """Back everything up into an object of the bucket, through a file of the home that is gone afterwards.

    Raises:
        BackupRefused: no bucket is set, it has a backup of that name, or one of what `make_backup` names.
        BlobsUnavailable: the bucket does not answer; it has no part of a backup then.
    """
    blobs, key = await _place(settings, name)
    if await blobs.exists(key):
        raise BackupRefused(f"The bucket {settings.aws_s3_bucket} has {key} already. Choose another name.")
    make_home(settings)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=settings.home) as folder:
        file = Path(folder) / "file"
        manifest = await make_backup(settings, file)
        await blobs.put_file(key, file)
    return manifest


async def restore_from_bucket(settings: Settings, name: str, *, is_forced: bool) -> Restored:
    """Put a backup of the bucket into a server's home and database, as `restore_backup` does.

    Raises:
        BackupRefused: no bucket is set, it has no backup of that name, or one of what `restore_backup` names.
        BlobsUnavailable: the bucket does not answer; nothing was changed then.
    """
    blobs, key = await _place(settings, name)
    make_home(settings)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=settings.home) as folder:
        file = Path(folder) / "file"
        try:
            await blobs.get_file(key, file)
        except BlobMissing as error:
            raise BackupRefused(f"The bucket {settings.aws_s3_bucket} has no {key}.") from error
        return await restore_backup(settings, file, is_forced=is_forced)


async def _place(settings: Settings, name: str) -> tuple[Blobs, str]:
    """Return the bucket, which answers, and the key of a backup in it."""
    if not settings.aws_s3_bucket:
        raise BackupRefused("No bucket is set. Set AWS_S3_BUCKET, and AWS_ENDPOINT_URL where it is not Amazon's; or "
                            "leave --bucket out to use a file.")
    key = f"{FOLDER}/{name}"
    if "/" in name or not KEY.fullmatch(key):
        raise BackupRefused(f"{name!r} cannot name a backup in a bucket. Use up to 128 letters, digits, '.', '_' and "
                            "'-', beginning with a letter or a digit.")
    blobs = open_store(settings)
    await blobs.probe()
    return blobs, key
