"""Objects too large for rows: a directory on this machine, or an S3 bucket."""

import asyncio
import io
import os
import re
import shutil
import tempfile
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from automatos.kernel.config import Settings
from automatos.kernel.errors import NotFound, Problem

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import S3Config

PIECE = 8 << 20
"""How much of a file is held at a time, and sent in one request."""
MOST_PARTS = 9_000
"""S3 takes 10,000 parts of an object."""
SIDE_BY_SIDE = 4

KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(?:/[A-Za-z0-9_][A-Za-z0-9._-]{0,127}){0,15}")
"""What names an object: up to 16 plain segments, none of which can climb, hide or be absolute.

The first says whose it is: `server`, or the id of a workspace.
"""

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

    async def put_file(self, key: str, source: Path) -> None:
        """Store what a file holds, as `put` does, a piece at a time."""
        ...

    async def get_file(self, key: str, target: Path) -> None:
        """Write an object into a new file that only its owner can read, a piece at a time; raises BlobMissing."""
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
        await asyncio.to_thread(self._write, self._path(key), io.BytesIO(content))

    async def get(self, key: str) -> bytes:
        """Return an object; raises BlobMissing."""
        try:
            return await asyncio.to_thread(self._path(key).read_bytes)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise BlobMissing(MISSING.format(key=key)) from error

    async def put_file(self, key: str, source: Path) -> None:
        """Store what a file holds, as `put` does, a piece at a time."""
        with source.open("rb") as content:
            await asyncio.to_thread(self._write, self._path(key), content)

    async def get_file(self, key: str, target: Path) -> None:
        """Write an object into a new file that only its owner can read, a piece at a time; raises BlobMissing."""
        await asyncio.to_thread(self._copy, key, target)

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

    def _copy(self, key: str, target: Path) -> None:
        try:
            source = self._path(key).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise BlobMissing(MISSING.format(key=key)) from error
        with source, _new_file(target) as file:
            shutil.copyfileobj(source, file, PIECE)

    @staticmethod
    def _write(path: Path, content: IO[bytes]) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                shutil.copyfileobj(content, file, PIECE)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_directory(path.parent)


def _new_file(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def amazon(region: str) -> str:
    """Return the address of Amazon S3 in a region; said outright, because the client would read an empty variable."""
    return f"https://s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"


class S3Blobs:
    """Objects in an S3 bucket, or in anything that speaks the same protocol."""

    def __init__(self, settings: Settings) -> None:
        from obstore.store import S3Store

        key, secret = settings.aws_access_key_id, settings.aws_secret_access_key
        endpoint = settings.aws_endpoint_url or amazon(settings.aws_region)
        config: S3Config = {"region": settings.aws_region, "endpoint": endpoint}
        if key and secret:
            config |= {"access_key_id": key.get_secret_value(), "secret_access_key": secret.get_secret_value()}
        self._store = S3Store(
            settings.aws_s3_bucket, config=config,
            client_options={"timeout": "30s", "connect_timeout": "5s",
                            "allow_http": endpoint.startswith("http://")},
            retry_config={"max_retries": 2},
        )

    async def put(self, key: str, content: bytes) -> None:
        """Store an object in one request."""
        await asyncio.to_thread(self._put, _checked(key), content)

    async def get(self, key: str) -> bytes:
        """Return an object; raises BlobMissing."""
        return await asyncio.to_thread(self._get, _checked(key))

    async def put_file(self, key: str, source: Path) -> None:
        """Store what a file holds in several requests; nothing is there before the last of them."""
        await asyncio.to_thread(self._put_file, _checked(key), source)

    async def get_file(self, key: str, target: Path) -> None:
        """Write an object into a new file that only its owner can read, a piece at a time; raises BlobMissing."""
        await asyncio.to_thread(self._get_file, _checked(key), target)

    async def delete(self, key: str) -> None:
        """Remove an object; removing what is not there does nothing."""
        await asyncio.to_thread(self._delete, _checked(key))

    async def exists(self, key: str) -> bool:
        """Say whether an object of that name is stored."""
        return await asyncio.to_thread(self._exists, _checked(key))

    async def probe(self) -> None:
        """Raise when there is no such bucket, or it does not answer."""
        await asyncio.to_thread(self._list)

    def _list(self) -> None:
        """List something: to ask for one object gives the same answer whether it is missing or its bucket."""
        try:
            next(iter(self._store.list("server/", chunk_size=1)), None)
        except _failures() as error:
            raise BlobsUnavailable(UNAVAILABLE) from error

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

    def _put_file(self, key: str, source: Path) -> None:
        piece = max(PIECE, source.stat().st_size // MOST_PARTS)
        try:
            self._store.put(key, source, use_multipart=True, chunk_size=piece, max_concurrency=SIDE_BY_SIDE)
        except _failures() as error:
            raise BlobsUnavailable(UNAVAILABLE) from error

    def _get_file(self, key: str, target: Path) -> None:
        """Ask for a piece at a time, so that no answer takes longer than one may; all are of the same object."""
        pieces = self._pieces(key)
        first = next(pieces, b"")
        with _new_file(target) as file:
            file.write(first)
            for piece in pieces:
                file.write(piece)

    def _pieces(self, key: str) -> Generator[bytes]:
        try:
            found = self._store.head(key)
            same: GetOptions = {"if_match": found["e_tag"]} if found["e_tag"] else {}
            for begin in range(0, found["size"], PIECE):
                wanted: GetOptions = {"range": (begin, min(begin + PIECE, found["size"]))}
                yield bytes(self._store.get(key, options=same | wanted).bytes())
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
