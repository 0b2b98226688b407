"""Objects too large for rows: a directory on this machine, or an S3 bucket."""

import asyncio
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from automatos.kernel.config import Settings
from automatos.kernel.errors import NotFound, Problem

if TYPE_CHECKING:
    from obstore.store import S3Config

KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,127}){0,15}")
"""What names an object: up to 16 plain segments, none of which can climb, hide or be absolute."""

MISSING = "No stored object is called {key!r}; it may have been deleted."


UNAVAILABLE = (
    "The object store did not answer or refused the server's keys. Try again; if it goes on, check AWS_S3_BUCKET, "
    "AWS_ENDPOINT_URL and the AWS keys, or see the server's log."
)


class BlobMissing(NotFound):
    """The object was never stored, or has been deleted."""

    code = "blob_not_found"


class BlobsUnavailable(Problem):
    """The object store did not answer; nothing was stored."""

    status = 503
    code = "object_store_unavailable"
    title = "The object store is not available"


class Blobs(Protocol):
    """Whole objects by key; a key is segments of letters, digits, `.`, `_` and `-`, separated by `/`."""

    async def put(self, key: str, content: bytes) -> None:
        """Store an object, replacing the one of that name; readers see the old or the new one, never a part."""
        ...

    async def get(self, key: str) -> bytes:
        """Return an object; raises BlobMissing."""
        ...

    async def delete(self, key: str) -> None:
        """Remove an object; removing what is not there does nothing."""
        ...

    async def exists(self, key: str) -> bool:
        """Say whether an object of that name is stored."""
        ...

    async def probe(self) -> None:
        """Raise when objects cannot be stored now."""
        ...


def _checked(key: str) -> str:
    if not KEY.fullmatch(key):
        raise ValueError(f"{key!r} cannot name a stored object")
    return key


class DirectoryBlobs:
    """Objects as files under one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    async def put(self, key: str, content: bytes) -> None:
        """Store an object through a temporary file, synced and renamed, so that a crash leaves no part of one."""
        await asyncio.to_thread(self._write, self._path(key), content)

    async def get(self, key: str) -> bytes:
        """Return an object; raises BlobMissing."""
        try:
            return await asyncio.to_thread(self._path(key).read_bytes)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise BlobMissing(MISSING.format(key=key)) from error

    async def delete(self, key: str) -> None:
        """Remove an object; removing what is not there does nothing."""
        with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
            await asyncio.to_thread(self._path(key).unlink)

    async def exists(self, key: str) -> bool:
        """Say whether an object of that name is stored."""
        return await asyncio.to_thread(self._path(key).is_file)

    async def probe(self) -> None:
        """Raise when the directory cannot be written."""
        await asyncio.to_thread(self._probe)

    def _probe(self) -> None:
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.root):
            pass

    def _path(self, key: str) -> Path:
        return self.root / _checked(key)

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class S3Blobs:
    """Objects in an S3 bucket, or in anything that speaks the same protocol."""

    def __init__(self, settings: Settings) -> None:
        from obstore.store import S3Store

        key, secret = settings.aws_access_key_id, settings.aws_secret_access_key
        endpoint = settings.aws_endpoint_url
        config: S3Config = {"region": settings.aws_region}
        if key and secret:
            config |= {"access_key_id": key.get_secret_value(), "secret_access_key": secret.get_secret_value()}
        if endpoint:
            config |= {"endpoint": endpoint}
        self._store = S3Store(
            settings.aws_s3_bucket, config=config,
            client_options={"timeout": "30s", "connect_timeout": "5s",
                            "allow_http": bool(endpoint and endpoint.startswith("http://"))},
            retry_config={"max_retries": 2},
        )

    async def put(self, key: str, content: bytes) -> None:
        """Store an object in one request."""
        await asyncio.to_thread(self._put, _checked(key), content)

    async def get(self, key: str) -> bytes:
        """Return an object; raises BlobMissing."""
        return await asyncio.to_thread(self._get, _checked(key))

    async def delete(self, key: str) -> None:
        """Remove an object; removing what is not there does nothing."""
        await asyncio.to_thread(self._delete, _checked(key))

    async def exists(self, key: str) -> bool:
        """Say whether an object of that name is stored."""
        return await asyncio.to_thread(self._exists, _checked(key))

    async def probe(self) -> None:
        """Raise when the bucket does not answer."""
        await asyncio.to_thread(self._exists, "probe")

    def _put(self, key: str, content: bytes) -> None:
        try:
            self._store.put(key, content, use_multipart=False)
        except _failures() as error:
            raise BlobsUnavailable(UNAVAILABLE) from error

    def _get(self, key: str) -> bytes:
        try:
            return bytes(self._store.get(key).bytes())
        except FileNotFoundError as error:
            raise BlobMissing(MISSING.format(key=key)) from error
        except _failures() as error:
            raise BlobsUnavailable(UNAVAILABLE) from error

    def _delete(self, key: str) -> None:
        try:
            self._store.delete(key)
        except FileNotFoundError:
            return
        except _failures() as error:
            raise BlobsUnavailable(UNAVAILABLE) from error

    def _exists(self, key: str) -> bool:
        try:
            self._store.head(key)
        except FileNotFoundError:
            return False
        except _failures() as error:
            raise BlobsUnavailable(UNAVAILABLE) from error
        return True


def _failures() -> tuple[type[Exception], ...]:
    from obstore.exceptions import BaseError

    return (BaseError, OSError)


def open_store(settings: Settings) -> Blobs:
    """Return the object store of the settings: the S3 bucket when one is named, else a directory below `home`."""
    return S3Blobs(settings) if settings.aws_s3_bucket else DirectoryBlobs(settings.home / "blobs")
