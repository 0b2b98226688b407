"""Objects: the same promises from a directory and from S3."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from moto.server import ThreadedMotoServer

from automatos.kernel.blobs import PIECE, BlobMissing, Blobs, BlobsUnavailable, DirectoryBlobs, S3Blobs, open_store
from automatos.kernel.config import Settings


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def s3_settings(endpoint: str, bucket: str) -> Settings:
    return Settings(aws_s3_bucket=bucket, aws_endpoint_url=endpoint, aws_access_key_id="test",
                    aws_secret_access_key="test")


async def make_bucket(endpoint: str, bucket: str) -> None:
    headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, Signature=x"}
    async with aiohttp.ClientSession() as http, http.put(f"{endpoint}/{bucket}", headers=headers) as response:
        assert response.status == 200


@pytest.fixture(params=["directory", "s3"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Blobs]:
    if request.param == "directory":
        yield open_store(Settings(home=tmp_path))
        return
    endpoint = request.getfixturevalue("s3_endpoint")
    await make_bucket(endpoint, "plates")
    yield open_store(s3_settings(endpoint, "plates"))


async def test_what_is_put_is_got_until_it_is_deleted(blobs: Blobs) -> None:
    await blobs.probe()
    for content in (b"", b"\x00\xff" * 1000, b"x" * 3_000_000):
        await blobs.put("plugins/one/package.zip", content)
        assert await blobs.get("plugins/one/package.zip") == content
    assert await blobs.exists("plugins/one/package.zip")
    await blobs.delete("plugins/one/package.zip")
    await blobs.delete("plugins/one/package.zip")
    assert not await blobs.exists("plugins/one/package.zip")


async def test_files_go_in_and_come_out_a_piece_at_a_time(blobs: Blobs, tmp_path: Path) -> None:
    for number, size in enumerate((0, 5, PIECE, 2 * PIECE + 17)):
        source, target = tmp_path / f"in{number}", tmp_path / f"out{number}"
        source.write_bytes(os.urandom(size))
        await blobs.put_file("server/backups/one", source)
        await blobs.get_file("server/backups/one", target)
        assert target.read_bytes() == source.read_bytes()
        assert target.stat().st_mode & 0o777 == 0o600
        assert await blobs.get("server/backups/one") == source.read_bytes()
        with pytest.raises(FileExistsError):
            await blobs.get_file("server/backups/one", target)
    with pytest.raises(BlobMissing):
        await blobs.get_file("server/backups/two", tmp_path / "none")
    assert not (tmp_path / "none").exists()


async def test_what_was_never_put_is_missing(blobs: Blobs) -> None:
    for key in ("none", "a/b/c"):
        assert not await blobs.exists(key)
        with pytest.raises(BlobMissing, match=key):
            await blobs.get(key)


@pytest.mark.parametrize("key", [
    "", "/etc/passwd", "../x", "a/../b", "a//b", "a/", ".hidden", "a/.b", "a\\b", "a b", "a\n", "é", "a" * 200,
    "a/" * 20 + "a", "~x", "-x", "a\x00b",
])
async def test_a_key_that_could_climb_or_hide_is_refused(blobs: Blobs, key: str) -> None:
    for verb in (blobs.get, blobs.exists, blobs.delete, lambda name: blobs.put(name, b"")):
        with pytest.raises(ValueError, match="cannot name"):
            await verb(key)


async def test_a_directory_shows_whole_objects_only_and_leaves_no_parts(tmp_path: Path, monkeypatch) -> None:
    blobs = DirectoryBlobs(tmp_path / "blobs")
    await blobs.put("a/b", b"old")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        await blobs.put("a/b", b"new")
    monkeypatch.undo()
    assert await blobs.get("a/b") == b"old"
    assert [path.name for path in (tmp_path / "blobs" / "a").iterdir()] == ["b"]


async def test_writers_of_one_object_do_not_mix(tmp_path: Path) -> None:
    blobs = DirectoryBlobs(tmp_path)
    contents = [bytes([n]) * 100_000 for n in range(20)]
    await asyncio.gather(*(blobs.put("same", content) for content in contents))
    assert await blobs.get("same") in contents


async def test_a_bucket_that_does_not_answer_is_said_plainly(s3_endpoint: str) -> None:
    for settings in (s3_settings(s3_endpoint, "no-such-bucket"), s3_settings("http://127.0.0.1:1", "plates")):
        blobs = S3Blobs(settings)
        with pytest.raises(BlobsUnavailable, match="AWS_S3_BUCKET"):
            await blobs.put("a", b"x")
        with pytest.raises(BlobsUnavailable):
            await blobs.probe()


async def test_a_directory_that_cannot_be_written_fails_its_probe(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        await DirectoryBlobs(tmp_path / "file" / "blobs").probe()
