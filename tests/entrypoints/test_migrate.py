"""Databases that cannot be brought to this version's tables: each is refused in one paragraph, without a password."""

import pytest

from automatos.entrypoints import migrate as module
from automatos.entrypoints.migrate import DatabaseRefused, Migrated, migrate


async def test_a_login_that_may_make_nothing_is_told_which_right_it_lacks(migrated: Migrated) -> None:
    foreign = f"{migrated.url.rpartition('/')[0]}/postgres"

    with pytest.raises(DatabaseRefused, match=r"permission denied .*CREATE EXTENSION vector") as refusal:
        await migrate(foreign)

    assert migrated.url.split(":")[2].partition("@")[0] not in refusal.value.detail
    assert "\n" not in refusal.value.detail


async def test_tables_of_a_newer_version_are_left_alone(migrated: Migrated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "newest_revision", lambda: "0000")

    with pytest.raises(DatabaseRefused, match="newer Automatos: its tables are of revision 0"):
        await migrate(migrated.url)


async def test_a_password_among_the_parameters_is_not_shown() -> None:
    with pytest.raises(DatabaseRefused, match=r"postgresql://127\.0\.0\.1:1/db ") as refusal:
        await migrate("postgresql://127.0.0.1:1/db?user=me&password=secret")

    assert "secret" not in refusal.value.detail
