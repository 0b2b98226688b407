"""PostgreSQL's address: everything libpq takes, and one line for the rest."""

from pathlib import Path

import pytest

from automatos.kernel.address import PostgresAddress, read_address
from automatos.kernel.errors import DatabaseRefused

HOSTED = {
    "postgres://u:p%40ss@ec2-1.compute.amazonaws.com:5432/d8": ("ec2-1.compute.amazonaws.com", 5432, "u", "p@ss", "d8"),
    "postgresql://neon:pw@ep-cool-1-pooler.eu.aws.neon.tech/neondb?sslmode=require&channel_binding=require":
        ("ep-cool-1-pooler.eu.aws.neon.tech", None, "neon", "pw", "neondb"),
    "postgresql://postgres.ref:pw@aws-0.pooler.supabase.com:6543/postgres?pgbouncer=true&connection_limit=1":
        ("aws-0.pooler.supabase.com", 6543, "postgres.ref", "pw", "postgres"),
    "postgresql+asyncpg://u:p/w@db:5433/d?ssl=require": ("db", 5433, "u", "p/w", "d"),
    "postgresql://[2001:db8::1]:5433/d?user=u&password=p": ("2001:db8::1", 5433, "u", "p", "d"),
    "postgresql://u@%2Fvar%2Frun%2Fpostgresql/d": ("/var/run/postgresql", None, "u", None, "d"),
    "postgresql:///d?host=/run/pg&port=5544": ("/run/pg", 5544, None, None, "d"),
    "host=db port=5433 user=u password='it\\'s a' dbname=d": ("db", 5433, "u", "it's a", "d"),
    "'postgresql://u:p@db/d'": ("db", None, "u", "p", "d"),
    "psql 'postgresql://u:p@db/d?sslmode=REQUIRE'": ("db", None, "u", "p", "d"),
    'export DATABASE_URL="postgresql://u:p@db/d"': ("db", None, "u", "p", "d"),
    "postgresql+psycopg_async://u:p@db/d/?sslmode=no-verify&uselibpqcompat=true": ("db", None, "u", "p", "d"),
    "postgresql://u:p@[fe80::1%25eth0]:5432/d": ("fe80::1%eth0", 5432, "u", "p", "d"),
    "host=db\nport=5433\nuser=u dbname=d": ("db", 5433, "u", None, "d"),
    "host=db password='\"p\"' user=u dbname=d": ("db", None, "u", '"p"', "d"),
    "  postgresql://u:p@db/d\n": ("db", None, "u", "p", "d"),
}


@pytest.mark.parametrize("text", HOSTED)
def test_addresses_as_hosts_print_them_are_read(text: str) -> None:
    found = read_address(text)

    host, port, user, password, database = HOSTED[text]
    assert (found.hosts, found.ports) == ((host,), (port,) if port else ())
    assert (found.user, found.password, found.database) == (user, password, database)


def test_several_hosts_each_with_its_port_are_tried_in_turn() -> None:
    found = read_address("postgresql://u@a:1,b,[::1]:3/d?target_session_attrs=read-write").for_asyncpg(5)

    assert (found["host"], found["port"]) == (["a", "b", "::1"], [1, 5432, 3])
    assert found["target_session_attrs"] == "read-write"


def test_what_shapes_the_session_reaches_both_the_driver_and_the_programs_of_postgresql() -> None:
    found = read_address("postgresql://h/d?options=-c%20search_path%3Da,b&application_name=me&connect_timeout=7"
                         "&sslmode=require&sslnegotiation=direct&passfile=/p")

    driver, programs = found.for_asyncpg(5, {"timezone": "UTC"}), found.for_libpq()
    assert driver["server_settings"] == {
        "application_name": "me", "timezone": "UTC", "options": "-c search_path=a,b"}
    assert (driver["timeout"], driver["direct_tls"], driver["dsn"]) == (7.0, True, "postgresql://?sslmode=require")
    assert programs == {
        "PGHOST": "h", "PGDATABASE": "d", "PGOPTIONS": "-c search_path=a,b", "PGAPPNAME": "me", "PGPASSFILE": "/p",
        "PGCONNECT_TIMEOUT": "7", "PGSSLMODE": "require", "PGSSLNEGOTIATION": "direct"}


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"])
def test_every_mode_of_tls_is_taken(mode: str) -> None:
    assert read_address(f"postgresql://h/d?sslmode={mode}").for_asyncpg(5)["dsn"].endswith(f"sslmode={mode}")


def test_the_root_certificates_of_the_system_check_the_host(tmp_path: Path) -> None:
    context = read_address("postgresql://h/d?sslrootcert=system").for_asyncpg(5)["ssl"]

    assert context.check_hostname


def test_hints_for_poolers_are_understood_and_tuning_is_named_as_unused() -> None:
    found = read_address("postgresql://h/d?pgbouncer=true&keepalives=1&connection_limit=1")

    assert found.is_for_pooler
    assert found.unused == ("connection_limit", "keepalives")


@pytest.mark.parametrize(("text", "words"), [
    ("mysql://u:secret@h/d", "mysql://"),
    ("jdbc:postgresql://u:secret@h/d", "jdbc:postgresql"),
    ("just-a-host", "is no such address"),
    ("postgresql://u:se#cret@h:notaport/d", "notaport"),
    ("postgresql://u:secret@h:70000/d", "70000"),
    ("postgresql://u:secret%zz@h/d", "%25"),
    ("postgresql://u:secret@::1/d", r"\[::1\]"),
    ("postgresql://u:secret@[::1/d", r"\] of its IPv6"),
    ("postgresql://u:secret@a:1,b:2/d?port=1,2,3", "2 hosts and 3 ports"),
    ("postgresql://u:secret@h/d?sslmode=on", "sslmode=on is none of disable"),
    ("postgresql://u:secret@h/d?sslmode=verify-ca&sslrootcert=/nowhere/ca.pem", "/nowhere/ca.pem, cannot be read"),
    ("postgresql://u:secret@h/d?sslrootcert=system&sslmode=require", "verify-full"),
    ("postgresql://u:secret@h/d?sslnegotiation=direct&sslmode=prefer", "sslmode=require or stronger"),
    ("postgresql://u:secret@h/d?schema=mine", "options=-csearch_path"),
    ("postgresql://u:secret@h/d?service=mine", "pg_service.conf are not read"),
    ("postgresql://u:secret@h/d?sslmod=require", "'sslmod' means nothing"),
    ("postgresql://u:secret@h/d?sslmode", "has no value"),
    ("postgresql://u:secret@h/d?connect_timeout=soon", "connect_timeout"),
    ("postgresql://u:secret@h/d?target_session_attrs=leader", "target_session_attrs"),
    ("postgresql://u:secret@h/d?gssencmode=require", "gssencmode"),
    ("host=h password='secret", "not closed"),
    ("postgresql://u:secret@h/d%00", "NUL"),
])
def test_anything_else_is_one_line_that_says_what_and_hides_the_password(text: str, words: str) -> None:
    with pytest.raises(DatabaseRefused, match=words) as refused:
        read_address(text)

    said = refused.value.detail
    assert said.startswith("DATABASE_URL cannot be used: ")
    assert "secret" not in said
    assert "cret@" not in said
    assert "\n" not in said


def test_an_address_shows_no_password_anywhere() -> None:
    found = read_address("postgresql://u:secret@h:5433/d?sslpassword=secret")

    assert "secret" not in f"{found} {found!r} {found.place}"
    assert isinstance(found, PostgresAddress)
