"""A whole server put into one file, and back on another machine: its runs go on and its secrets open."""

import asyncio
import stat
import subprocess
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest
from pydantic import SecretStr

from automatos.entrypoints import restore
from automatos.entrypoints.archive import BackupRefused, unpack
from automatos.entrypoints.backup import make_backup
from automatos.entrypoints.bucket import back_up_to_bucket, restore_from_bucket
from automatos.entrypoints.restore import restore_backup
from automatos.kernel.blobs import BlobsUnavailable
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.errors import DatabaseRefused
from automatos.kernel.running import read_note
from tests.chaos.harness import Stage, stage
from tests.chaos.processes import AUTOMATOS, environment
from tests.hosts.conftest import Host
from tests.hosts.documented import running_s3

TIMEOUT_S = 120
KEY = "operators-key"
VARIABLES = {"AUTOMATOS_API_KEY": KEY, "AUTOMATOS_ALLOW_PRIVATE_URLS": "true"}


@pytest.fixture
async def scene() -> AsyncIterator[Stage]:
    async with stage() as opened:
        yield opened


async def automatos(home: Path, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the server's own machine."""
    return await asyncio.to_thread(
        subprocess.run, [str(AUTOMATOS), *map(str, arguments)], env=environment(home) | variables, check=False,
        capture_output=True, text=True, timeout=TIMEOUT_S)


async def call(url: str, method: str, path: str, body: object = None) -> dict[str, object]:
    async with aiohttp.ClientSession(url, headers={"X-API-Key": KEY}) as http, http.request(
            method, path, json=body) as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json()


@pytest.mark.capability("S093")
async def test_a_run_that_waits_goes_on_where_the_backup_is_restored_and_secrets_open(scene: Stage) -> None:
    model = await scene.start_model_server()
    first = await scene.start_server(with_worker=False, variables=VARIABLES)
    await call(first.url, "POST", "/api/credentials", {
        "name": "Mine", "provider": "custom", "value": "sk-of-the-tenant", "base_url": model.base_url})
    agent = await call(first.url, "POST", "/api/agents", {
        "name": "Ada", "agent_type": "custom", "model_config": {"provider": "custom", "model_id": "fake-model"}})
    await call(first.url, "POST", f"/api/agents/{agent['id']}/activate")
    run = (await call(first.url, "POST", f"/api/agents/{agent['id']}/execute", {"prompt": "Say hello"}))["execution_id"]
    (first.home / "executions" / "x").mkdir(parents=True)
    (first.home / "executions" / "x" / "note.txt").write_text("written by an agent")
    file = scene.folder / "server.backup"

    made = await automatos(first.home, "backup", file)
    again = await automatos(first.home, "backup", file)
    refused = await automatos(first.home, "restore", file, "--force")
    first.end()
    home = scene.folder / "elsewhere"
    restored = await automatos(home, "restore", file)
    second = await scene.start_server(home=home, variables=VARIABLES)
    async with asyncio.timeout(TIMEOUT_S):
        while (found := await call(second.url, "GET", f"/api/runs/{run}"))["finished_at"] is None:
            await asyncio.sleep(0.1)

    assert (made.returncode, restored.returncode) == (0, 0), made.stderr + restored.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (again.returncode, refused.returncode) == (1, 1)
    assert "is there already" in again.stderr
    assert "Stop it, restore" in refused.stderr
    assert found["status"] == "completed", found
    assert (home / "executions" / "x" / "note.txt").read_text() == "written by an agent"
    assert second.port != first.port
    assert len(await model.calls()) == 1
    assert [path.name for path in home.iterdir() if path.name.startswith(".restore")] == []


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET actor = 'somebody else'", "DELETE FROM audit_log",
                                       "TRUNCATE audit_log"])
async def test_after_a_restore_the_application_still_may_not_change_what_the_audit_log_says(
    restored: str, statement: str
) -> None:
    connection = await asyncpg.connect(restored)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
async def restored() -> AsyncIterator[str]:
    """The address by which the application reaches a database that was restored."""
    async with stage() as scene:
        first = await scene.start_server(variables=VARIABLES)
        file = scene.folder / "server.backup"
        assert (await automatos(first.home, "backup", file)).returncode == 0
        first.end()
        home = scene.folder / "elsewhere"
        assert (await automatos(home, "restore", file)).returncode == 0
        await scene.start_server(home=home, variables=VARIABLES)
        note = read_note(home)
        assert note
        yield note.database_url


async def test_restoring_over_something_needs_force_and_moves_keys_aside(scene: Stage, tmp_path: Path) -> None:
    source = await scene.start_server(variables=VARIABLES)
    source.end()
    file = tmp_path / "b"
    made = await automatos(source.home, "backup", file)
    target = await scene.start_server(variables=VARIABLES)
    await call(target.url, "POST", "/api/agents", {"name": "Only here", "agent_type": "custom"})
    target.end()
    keys = {path.name: path.read_bytes() for path in (target.home / "keys").iterdir()}

    refused = await automatos(target.home, "restore", file)
    forced = await automatos(target.home, "restore", file, "--force")
    back = await scene.start_server(home=target.home, variables=VARIABLES)

    assert (made.returncode, refused.returncode, forced.returncode) == (0, 1, 0), made.stderr + forced.stderr
    assert "--force" in refused.stderr
    assert (await call(back.url, "GET", "/api/agents"))["total"] == 0
    (aside,) = target.home.glob("keys.before-*")
    assert {path.name: path.read_bytes() for path in aside.iterdir()} == keys


async def foreign(host: Host, name: str, home: Path, **rights: str) -> Settings:
    return Settings(home=home, database_url=await host.database(name, **rights))  # pyright: ignore[reportArgumentType]


async def test_a_plain_owner_of_a_foreign_database_backs_up_every_workspace(host: Host, tmp_path: Path) -> None:
    source, target = await foreign(host, "copied", tmp_path / "a"), await foreign(host, "pasted", tmp_path / "b")
    Vault(source)
    await restore.prepare(source)
    for slug in ("one", "two"):
        await host.run(f"INSERT INTO workspaces (id, name, slug) VALUES (gen_random_uuid(), 'W', '{slug}')",
                       database="copied")
    manifest = await make_backup(source, tmp_path / "file")

    with pytest.raises(BackupRefused, match="is there already"):
        await make_backup(source, tmp_path / "file")
    done = await restore_backup(target, tmp_path / "file", is_forced=False)

    assert await host.value("SELECT count(*) FROM workspaces WHERE slug IN ('one', 'two')", "pasted") == 2
    assert await host.value("SELECT bool_and(relforcerowsecurity) FROM pg_class WHERE relrowsecurity", "pasted")
    assert done.manifest == manifest
    assert (target.home / "keys" / "0001.key").read_bytes() == (source.home / "keys" / "0001.key").read_bytes()
    with pytest.raises(BackupRefused, match="not empty"):
        await restore_backup(target, tmp_path / "file", is_forced=False)


async def test_what_does_not_fit_is_refused_before_anything_is_touched(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = await foreign(host, "fitting", tmp_path / "a"), await foreign(host, "untouched", tmp_path / "b")
    Vault(source)
    await restore.prepare(source)
    file = tmp_path / "file"
    await make_backup(source, file)
    (tmp_path / "cut").write_bytes(file.read_bytes()[:2000])
    (tmp_path / "other").write_text("no backup")

    for name, words in (("cut", "cut off|cannot be read"), ("other", "cannot be read"), ("none", "does not exist")):
        with pytest.raises(BackupRefused, match=words):
            await restore_backup(target, tmp_path / name, is_forced=True)
    with pytest.raises(BackupRefused, match="is not what was backed up"):
        await restore_backup(target, changed(file, tmp_path), is_forced=True)
    with monkeypatch.context() as older:
        older.setattr(restore, "newest_revision", lambda: "0000")
        with pytest.raises(BackupRefused, match="made by a newer Automatos"):
            await restore_backup(target, file, is_forced=True)
    with monkeypatch.context() as broken:
        broken.setattr(restore, "EMPTY", "SELECT 1/0;")
        with pytest.raises(DatabaseRefused, match="division by zero"):
            await restore_backup(target, file, is_forced=True)

    assert await host.value("SELECT to_regclass('workspaces') IS NOT NULL", "untouched")
    assert [path.name for path in target.home.iterdir()] == []


def changed(file: Path, folder: Path) -> Path:
    """Return a copy of a backup in which one byte of the dump is another."""
    unpacked = folder / "unpacked"
    unpack(file, unpacked)
    dump = unpacked / "database.sql"
    dump.write_bytes(dump.read_bytes().replace(b"workspaces", b"workspacez", 1))
    copy = folder / "changed"
    with tarfile.open(copy, "w:gz") as tar:
        for path in sorted(unpacked.rglob("*")):
            if path.is_file():
                tar.add(path, path.relative_to(unpacked).as_posix())
    return copy


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "keys/../../x", "strange"])
def test_an_archive_that_climbs_out_or_holds_more_is_refused(tmp_path: Path, name: str) -> None:
    bad = tmp_path / "bad"
    (tmp_path / "content").write_text("x")
    with tarfile.open(bad, "w") as tar:
        member = tar.gettarinfo(tmp_path / "content")
        member.name = name
        with (tmp_path / "content").open("rb") as content:
            tar.addfile(member, content)

    with pytest.raises(BackupRefused, match="is no backup"):
        unpack(bad, tmp_path / "unpacked")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "content"]


@pytest.mark.capability("S093")
async def test_a_backup_goes_through_a_bucket_to_an_empty_machine(host: Host, tmp_path: Path) -> None:
    source, target = await foreign(host, "sent", tmp_path / "a"), await foreign(host, "taken", tmp_path / "b")
    Vault(source)
    await restore.prepare(source)
    await host.run("INSERT INTO workspaces (id, name, slug) VALUES (gen_random_uuid(), 'W', 'one')", database="sent")
    with running_s3("backups") as bucket:
        there = {"aws_s3_bucket": bucket.name, "aws_endpoint_url": bucket.url,
                 "aws_access_key_id": SecretStr(bucket.key_id), "aws_secret_access_key": SecretStr(bucket.secret)}
        source, target = source.model_copy(update=there), target.model_copy(update=there)

        await back_up_to_bucket(source, "nightly")
        for name in ("weekly", "../nightly", "a/b", ".hidden", ""):
            with pytest.raises(BackupRefused, match=r"has no|cannot name"):
                await restore_from_bucket(target, name, is_forced=False)
        with pytest.raises(BackupRefused, match="already"):
            await back_up_to_bucket(source, "nightly")
        with pytest.raises(BlobsUnavailable):
            await restore_from_bucket(target.model_copy(update={"aws_s3_bucket": "nobodys"}), "x", is_forced=False)
        await restore_from_bucket(target, "nightly", is_forced=False)

        assert bucket.names() == ["server/backups/nightly"]
    assert await host.value("SELECT array_agg(slug) FROM workspaces", database="taken") == ["one"]
    for home in (source.home, target.home):
        assert list(home.glob(".backup-*")) == []
