"""PostgreSQL's address, read once into its parts; what each driver and program wants to be given is made from them."""

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

from automatos.kernel.errors import DatabaseRefused

SCHEME = re.compile(r"postgres(?:ql)?(?:\+[a-z0-9_]+)?", re.IGNORECASE)
AROUND = re.compile(r"""\A\s*(?:(?:export\s+)?[A-Z_]+=|psql\s+)?(["']?)(.*?)\1;?\s*\Z""", re.DOTALL)
"""What comes along when an address is copied: quotes, the name of its variable, the command that it was shown in."""
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SESSION_ATTRS = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")
TLS_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
TLS_PARAMETERS = ("sslmode", *TLS_FILES, "sslpassword", "ssl_min_protocol_version", "ssl_max_protocol_version")
TUNING = frozenset({
    "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "sslcompression",
    "sslsni", "load_balance_hosts", "fallback_application_name", "client_encoding", "gssencmode", "channel_binding",
    "sslcertmode", "gsslib", "krbsrvname", "min_protocol_version", "max_protocol_version",
})
"""Parameters of libpq that change nothing about where a connection leads; they are taken and not acted on."""
OF_OTHER_CLIENTS = frozenset({
    "connection_limit", "pool_timeout", "pool_size", "max_overflow", "supa", "sslaccept", "socket_timeout",
    "workaround", "uselibpqcompat",
})
"""Parameters that hosts print for other programs: they mean nothing to PostgreSQL."""
POOLER_HINTS = {"pgbouncer": ("true", "1"), "statement_cache_size": ("0",), "prepared_statement_cache_size": ("0",),
                "prepareThreshold": ("0",), "prepare_threshold": ("0",)}
"""What other clients must be told before a pooler that gives each transaction another backend."""
TRUTHS = {"true": "require", "1": "require", "on": "require", "false": "disable", "0": "disable", "off": "disable",
          "no-verify": "require"}
"""How other drivers spell `sslmode` in their parameter `ssl`; `no-verify` stands in `sslmode` itself."""
CURES = {"service": "services of pg_service.conf are not read; write what it stands for"} | dict.fromkeys(
    ("schema", "search_path", "currentSchema"), "write options=-csearch_path=NAME instead")


@dataclass(frozen=True)
class PostgresAddress:
    """Where a PostgreSQL is and how to connect to it; the password stays out of what is shown and printed."""

    hosts: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: str | None = None
    tls: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    is_direct_tls: bool = False
    options: str | None = None
    application_name: str | None = None
    connect_timeout_s: float | None = None
    target_session_attrs: str | None = None
    passfile: str | None = None
    is_for_pooler: bool = False
    unused: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """The hosts with their ports, and the database: all that may be shown."""
        ports = self.ports if len(self.ports) == len(self.hosts) else (self.ports or (5432,)) * len(self.hosts)
        hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
                         for host, port in zip(self.hosts, ports, strict=True))
        return f"{hosts or 'this machine'}/{self.database or self.user or ''}"

    def __str__(self) -> str:
        return f"postgresql://{self.place}"

    def for_asyncpg(self, timeout_s: float, settings: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the arguments of `asyncpg.connect` and `asyncpg.create_pool`."""
        server_settings = {"application_name": self.application_name or "automatos", **(settings or {})}
        if self.options:
            server_settings["options"] = self.options
        given: dict[str, Any] = {
            "host": list(self.hosts) or None, "port": list(self.ports) or None, "user": self.user,
            "password": self.password, "database": self.database, "passfile": self.passfile,
            "timeout": self.connect_timeout_s or timeout_s, "server_settings": server_settings,
            "target_session_attrs": self.target_session_attrs,
        }
        if len(self.ports) == 1 and len(self.hosts) > 1:
            given["port"] = self.ports[0]
        if self.is_direct_tls:
            given["direct_tls"] = True
        return given | self._tls_for_asyncpg()

    def _tls_for_asyncpg(self) -> dict[str, Any]:
        if self.tls.get("sslrootcert") == "system":
            return {"ssl": ssl.create_default_context()}
        return {"dsn": "postgresql://?" + urlencode(self.tls)} if self.tls else {}

    def for_libpq(self) -> dict[str, str]:
        """Return the environment of `psql`, `pg_dump` and the like; nothing of it stands on a command line."""
        found = {
            "PGHOST": ",".join(self.hosts), "PGPORT": ",".join(map(str, self.ports)), "PGUSER": self.user,
            "PGPASSWORD": self.password, "PGDATABASE": self.database, "PGOPTIONS": self.options,
            "PGPASSFILE": self.passfile, "PGTARGETSESSIONATTRS": self.target_session_attrs,
            "PGAPPNAME": self.application_name or "automatos",
            "PGSSLNEGOTIATION": "direct" if self.is_direct_tls else None,
            "PGSSLMODE": self.tls.get("sslmode"), "PGSSLROOTCERT": self.tls.get("sslrootcert"),
            "PGSSLCERT": self.tls.get("sslcert"), "PGSSLKEY": self.tls.get("sslkey"),
            "PGSSLCRL": self.tls.get("sslcrl"),
            "PGSSLMINPROTOCOLVERSION": self.tls.get("ssl_min_protocol_version"),
            "PGSSLMAXPROTOCOLVERSION": self.tls.get("ssl_max_protocol_version"),
            "PGCONNECT_TIMEOUT": str(int(self.connect_timeout_s)) if self.connect_timeout_s else None,
        }
        return {name: value for name, value in found.items() if value}


@lru_cache(maxsize=32)
def read_address(text: str, variable: str = "DATABASE_URL") -> PostgresAddress:
    """Read an address as libpq does: a URL, or `host=... dbname=...`; `variable` is where it was given.

    Raises DatabaseRefused, in one line and without the password, for anything that is neither.
    """
    try:
        text = bare(text)
        if "://" not in text and "=" in text:
            return _from_parameters(_read_pairs(text))
        return _from_parameters(_read_url(text))
    except ValueError as error:
        raise DatabaseRefused(f"{variable} cannot be used: {error}") from None


def bare(text: str) -> str:
    """Return an address without what came along when it was copied."""
    found = AROUND.match(text)
    return found[2].strip() if found and ("://" in found[2] or found[1]) else text.strip()


def _read_url(text: str) -> dict[str, str]:
    scheme, mark, rest = text.partition("://")
    if not mark or not SCHEME.fullmatch(scheme):
        is_scheme = mark and scheme.replace("+", "").replace(":", "").isalnum()
        said = f"begins with {scheme}://" if is_scheme else "is no such address"
        raise ValueError(f"it {said}; write postgresql://user:password@host:5432/database.")
    rest, _, query = rest.partition("?")
    rest = rest.removesuffix("/") if rest.rpartition("@")[2].count("/") > 1 else rest
    authority, _, database = rest.rpartition("/") if "/" in rest.rpartition("@")[2] else (rest, "", "")
    userinfo, _, hostspec = authority.rpartition("@")
    if "/" in hostspec:
        raise ValueError("a / stands in its host; a socket's folder is written %2Fvar%2Frun%2Fpostgresql, and a / in "
                         "the password %2F.")
    user, _, password = userinfo.partition(":")
    found = _read_hosts(hostspec)
    found |= {name: _decode(value) for name, value in
              (("user", user), ("password", password), ("dbname", database)) if value}
    for part in filter(None, query.split("&")):
        name, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"its parameter {_decode(name)!r} has no value.")
        found[_decode(name)] = _decode(value)
    return found


def _read_hosts(spec: str) -> dict[str, str]:
    """Read `host:port,host:port`; an address of IPv6 stands in brackets."""
    hosts, ports = list[str](), list[str]()
    for one in spec.split(",") if spec else ():
        if one.startswith("["):
            host, closed, rest = one[1:].partition("]")
            if not closed or (rest and not rest.startswith(":")):
                raise ValueError("the ] of its IPv6 address is missing.")
            hosts.append(_decode(host))
            ports.append(rest[1:])
        else:
            host, _, port = one.rpartition(":") if ":" in one else (one, "", "")
            if ":" in host:
                raise ValueError("an IPv6 address must stand in brackets, as in [::1]:5432.")
            hosts.append(_decode(host))
            ports.append(port)
    found = {"host": ",".join(hosts)} if any(hosts) else {}
    return found | ({"port": ",".join(port or "5432" for port in ports)} if any(ports) else {})


def _read_pairs(text: str) -> dict[str, str]:
    """Read libpq's `name=value name='a value'`; a backslash takes the next character as it is."""
    found, at = dict[str, str](), 0
    text = " ".join(text.split("\n")) if "'" not in text else text
    while at < len(text):
        name, equals, _ = text[at:].partition("=")
        if not equals or not name.strip().isidentifier():
            raise ValueError(f"in name=value pairs, {name.strip()[:30]!r} has no value.")
        at += len(name) + 1
        while text[at:at + 1] == " ":
            at += 1
        value, quoted = "", text[at:at + 1] == "'"
        at += quoted
        while at < len(text) and text[at] != ("'" if quoted else " "):
            at += text[at] == "\\"
            value += text[at:at + 1]
            at += 1
        if quoted and at >= len(text):
            raise ValueError(f"the quote of {name.strip()} is not closed.")
        found[name.strip()] = value
        at += quoted
        while text[at:at + 1] == " ":
            at += 1
    return found


def _decode(text: str) -> str:
    for mark in text.split("%")[1:]:
        if len(mark) < 2 or not all(digit in "0123456789abcdefABCDEF" for digit in mark[:2]):
            raise ValueError("a % in it is not followed by two hexadecimal digits; a % in the password is written %25.")
    decoded = unquote_to_bytes(text).decode("utf-8", "strict")
    if "\0" in decoded:
        raise ValueError("a NUL character stands in it.")
    return decoded


def _from_parameters(given: dict[str, str]) -> PostgresAddress:
    """Take every parameter, or name the one that means nothing."""
    rest = dict(given)
    hints = [name for name, values in POOLER_HINTS.items() if rest.pop(name, "").lower() in values]
    unused = [name for name in sorted(rest) if name in TUNING | OF_OTHER_CLIENTS]
    for name in unused:
        if name == "gssencmode" and rest[name] == "require":
            raise ValueError("gssencmode=require is not possible: Kerberos encryption is not supported.")
        del rest[name]
    hosts = tuple(filter(None, rest.pop("host", "").split(",")))
    negotiation = rest.pop("sslnegotiation", "postgres")
    _one_of("sslnegotiation", negotiation, ("postgres", "direct"))
    attrs = rest.pop("target_session_attrs", None)
    if attrs is not None:
        _one_of("target_session_attrs", attrs, SESSION_ATTRS)
    address = PostgresAddress(
        hosts=hosts, ports=_ports(rest.pop("port", ""), len(hosts)), user=rest.pop("user", None),
        password=rest.pop("password", None), database=rest.pop("dbname", None) or rest.pop("database", None) or None,
        tls=_tls(rest, is_direct=negotiation == "direct"), is_direct_tls=negotiation == "direct",
        options=rest.pop("options", None), application_name=rest.pop("application_name", None),
        connect_timeout_s=_timeout(rest.pop("connect_timeout", "")), target_session_attrs=attrs,
        passfile=rest.pop("passfile", None), is_for_pooler=bool(hints), unused=tuple(unused))
    if rest:
        name = min(rest)
        raise ValueError(f"its parameter {name!r} means nothing here; {CURES.get(name, 'take it out')}.")
    return address


def _ports(text: str, hosts: int) -> tuple[int, ...]:
    ports = list[int]()
    for port in text.split(",") if text else ():
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
            raise ValueError(f"{port[:20]!r} is no port; a special character in the password must be percent-encoded.")
        ports.append(int(port))
    if len(ports) > 1 and len(ports) != hosts:
        raise ValueError(f"it names {hosts} hosts and {len(ports)} ports.")
    return tuple(ports)


def _timeout(text: str) -> float | None:
    """Return the seconds; as for libpq, nothing, zero and less mean that nobody set one."""
    try:
        seconds = int(text or 0)
    except ValueError:
        raise ValueError(f"connect_timeout is {text[:20]!r}, not a number of seconds.") from None
    return float(max(seconds, 2)) if seconds > 0 else None


def _tls(rest: dict[str, str], *, is_direct: bool) -> dict[str, str]:
    """Take the parameters about TLS; `ssl=` is how other drivers spell `sslmode=`."""
    spelled = rest.pop("ssl", None)
    tls = {name: rest.pop(name) for name in TLS_PARAMETERS if rest.get(name)} if rest else {}
    if mode := tls.get("sslmode", "").lower():
        tls["sslmode"] = TRUTHS[mode] if mode == "no-verify" else mode
    elif spelled:
        tls["sslmode"] = TRUTHS.get(spelled.lower(), spelled.lower())
    for name in TLS_PARAMETERS:
        rest.pop(name, None)
    if "sslmode" in tls:
        _one_of("sslmode", tls["sslmode"], SSL_MODES)
    if tls.get("sslrootcert") == "system" and tls.setdefault("sslmode", "verify-full") != "verify-full":
        raise ValueError("sslrootcert=system needs sslmode=verify-full.")
    if is_direct and tls.setdefault("sslmode", "require") in SSL_MODES[:3]:
        raise ValueError("sslnegotiation=direct needs sslmode=require or stronger.")
    for name in TLS_FILES:
        if (path := tls.get(name)) and path != "system":
            tls[name] = _readable(name, path)
    return tls


def _readable(name: str, path: str) -> str:
    try:
        found = Path(path).expanduser()
    except RuntimeError:
        found = Path(path)
    if not found.is_file() or not os.access(found, os.R_OK):
        raise ValueError(f"the file of {name}, {path}, cannot be read by this user.")
    return str(found)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name}={value[:30]} is none of {', '.join(allowed)}.")
