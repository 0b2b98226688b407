"""The vault: secrets at rest."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from automatos.kernel import crypto
from automatos.kernel.config import Settings
from automatos.kernel.crypto import KeyFileUnsafe, SealBroken, Vault
from automatos.kernel.errors import Problem

SECRET = b"sk-very-secret"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def key_files(settings: Settings) -> list[Path]:
    return sorted((settings.home / "keys").iterdir())


def test_the_first_start_makes_one_key_that_only_its_owner_can_read(settings: Settings) -> None:
    Vault(settings)
    Vault(settings)

    (path,) = key_files(settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_was_sealed_opens_after_a_restart_and_never_looks_the_same(settings: Settings) -> None:
    one, two = Vault(settings).seal(SECRET, b"row 1"), Vault(settings).seal(SECRET, b"row 1")

    assert one != two
    assert SECRET not in one
    assert Vault(settings).open(one, b"row 1") == Vault(settings).open(two, b"row 1") == SECRET


def test_a_value_moved_to_another_row_does_not_open(settings: Settings) -> None:
    vault = Vault(settings)
    with pytest.raises(SealBroken, match="belongs to another row"):
        vault.open(vault.seal(SECRET, b"row 1"), b"row 2")


def test_no_changed_byte_goes_unnoticed(settings: Settings) -> None:
    vault = Vault(settings)
    sealed = vault.seal(SECRET, b"row")
    for at in range(len(sealed)):
        with pytest.raises(SealBroken):
            vault.open(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1:], b"row")
    for cut in (0, 1, 8, 9, 20, 21, len(sealed) - 1):
        with pytest.raises(SealBroken):
            vault.open(sealed[:cut], b"row")


def test_the_wrong_key_is_named(settings: Settings, tmp_path: Path) -> None:
    sealed = Vault(settings).seal(SECRET, b"row")
    other = Vault(Settings(home=tmp_path / "other"))

    with pytest.raises(SealBroken, match=f"{sealed[1:9].hex()}.*Restore"):
        other.open(sealed, b"row")


def test_after_rotation_the_new_key_seals_and_the_old_one_still_opens(settings: Settings) -> None:
    vault = Vault(settings)
    old = vault.seal(SECRET, b"row")
    vault.add_key()
    new = vault.seal(SECRET, b"row")

    fresh = Vault(settings)
    assert fresh.open(old, b"row") == fresh.open(new, b"row") == SECRET
    assert (fresh.is_current(old), fresh.is_current(new)) == (False, True)
    assert len(key_files(settings)) == 2


def test_a_key_that_others_can_read_is_refused_with_the_remedy(settings: Settings) -> None:
    Vault(settings)
    (path,) = key_files(settings)
    path.chmod(0o644)

    with pytest.raises(KeyFileUnsafe, match="chmod 600"):
        Vault(settings)


def test_a_damaged_key_is_refused_and_not_replaced(settings: Settings) -> None:
    Vault(settings)
    (path,) = key_files(settings)
    path.write_bytes(b"short")

    with pytest.raises(KeyFileUnsafe, match="Restore"):
        Vault(settings)
    assert path.read_bytes() == b"short"


def test_processes_that_start_together_share_one_key(settings: Settings) -> None:
    code = ("import sys; from pathlib import Path; from automatos.kernel.config import Settings; "
            "from automatos.kernel.crypto import Vault; "
            f"sys.stdout.buffer.write(Vault(Settings(home=Path({str(settings.home)!r}))).seal(b'x', b'row'))")
    racing = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(4)]
    sealed = [process.communicate()[0] for process in racing]

    assert len(key_files(settings)) == 1
    assert [Vault(settings).open(value, b"row") for value in sealed] == [b"x"] * 4


@pytest.mark.parametrize(("mode", "is_own_group", "is_taken"), [
    (0o640, True, True), (0o660, True, True), (0o640, False, False), (0o604, True, False), (0o644, True, False),
])
def test_a_group_may_read_a_key_only_where_it_is_our_own(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, mode: int, is_own_group: bool, is_taken: bool
) -> None:
    sealed = Vault(settings).seal(SECRET, b"row")
    (path,) = key_files(settings)
    path.chmod(mode)
    if not is_own_group:
        monkeypatch.setattr(crypto.os, "getegid", lambda: path.stat().st_gid + 1)
        monkeypatch.setattr(crypto.os, "getgroups", lambda: [path.stat().st_gid + 2])

    if is_taken:
        assert Vault(settings).open(sealed, b"row") == SECRET
    else:
        with pytest.raises(KeyFileUnsafe, match="chmod 600"):
            Vault(settings)


def test_an_empty_key_and_a_folder_in_its_place_are_refused_in_one_line(settings: Settings) -> None:
    Vault(settings)
    (path,) = key_files(settings)
    path.write_bytes(b"")
    with pytest.raises(KeyFileUnsafe, match="does not hold a key") as empty:
        Vault(settings)
    path.unlink()
    path.mkdir()
    with pytest.raises(KeyFileUnsafe, match="is no file") as folder:
        Vault(settings)

    assert isinstance(empty.value, Problem)
    assert "\n" not in empty.value.detail + folder.value.detail


def test_a_key_of_another_user_is_a_problem_and_no_traceback(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    Vault(settings)

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(KeyFileUnsafe, match="Give it to the user who runs the server"):
        Vault(settings)


def test_a_running_process_takes_up_a_new_key_and_seals_with_it(settings: Settings) -> None:
    running, rotating = Vault(settings), Vault(settings)
    old = running.seal(SECRET, b"row")
    rotating.add_key()

    sealed = running.seal(SECRET, b"row")
    assert rotating.is_current(sealed)
    assert not rotating.is_current(old)
    assert rotating.retire_old_keys() == 1
    assert running.open(rotating.seal(SECRET, b"row"), b"row") == SECRET
    rotating.add_key()
    assert [path.name for path in key_files(settings)] == ["0002.key", "0003.key"]
