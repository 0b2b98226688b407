"""Trying the credential of a database or mail server: one connection that signs in and leaves."""

import asyncio
import contextlib
import smtplib
import socket
import ssl
from collections.abc import Awaitable, Callable

import asyncpg

from automatos.credentials.addresses import resolve_host
from automatos.credentials.contents import Fields
from automatos.credentials.probe import ProbeResult
from automatos.kernel.http import AddressRefused

DEADLINE_S = 10
MAX_LINE_BYTES = 4096


class _SignInRefused(Exception):
    """The other side does not take this user, password or database; the text is ours."""


async def connect(fields: Fields, protocol: str, *, allow_private: bool) -> ProbeResult:
    """Sign in at the server that the fields name and leave; takes at most ten seconds, never raises for its answers."""
    host, port = str(fields["host"]), int(fields["port"])
    try:
        async with asyncio.timeout(DEADLINE_S):
            address = await resolve_host(host, port, allow_private=allow_private)
            await PROTOCOLS[protocol](fields, address)
    except TimeoutError:
        return ProbeResult("failed", f"{host}:{port} did not answer within {DEADLINE_S} seconds.")
    except AddressRefused:
        return ProbeResult("failed", f"{host} is a private address, which is not allowed here. The operator can allow "
                                     "it with AUTOMATOS_ALLOW_PRIVATE_URLS=true.")
    except _SignInRefused as refused:
        return ProbeResult("failed", f"{host}:{port} {refused}")
    except Exception as error:  # noqa: BLE001 - whatever a strange server makes a driver raise
        return ProbeResult("failed", f"The connection to {host}:{port} failed ({type(error).__name__}). Check host, "
                                     "port and whether the server wants TLS.")
    return ProbeResult("passed", f"{host}:{port} accepted the connection.")


async def _postgres(fields: Fields, address: str) -> None:
    """Sign in with TLS, without, or first with and then without, as the fields say."""
    mode = str(fields["ssl_mode"])
    if mode != "disable":
        try:
            return await _postgres_once(fields, address, _unnamed_tls())
        except ConnectionError:
            if mode == "require":
                raise
    return await _postgres_once(fields, address, tls=False)


async def _postgres_once(fields: Fields, address: str, tls: ssl.SSLContext | bool) -> None:
    try:
        connection = await asyncpg.connect(
            host=address, port=int(fields["port"]), user=fields["username"], password=fields.get("password") or "",
            database=fields["database"], ssl=tls, timeout=DEADLINE_S)
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise _SignInRefused("does not accept this user and password.") from error
    except asyncpg.InvalidCatalogNameError as error:
        raise _SignInRefused("has no database of this name.") from error
    await connection.close()


def _unnamed_tls() -> ssl.SSLContext:
    """Return TLS that hides but does not identify: what this protocol's `require` means everywhere."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _redis(fields: Fields, address: str) -> None:
    """Speak four lines of the protocol by hand, so that the connection goes to the address that was checked."""
    tls = ssl.create_default_context() if fields.get("tls") else None
    reader, writer = await asyncio.open_connection(address, int(fields["port"]), ssl=tls, limit=MAX_LINE_BYTES,
                                                   server_hostname=str(fields["host"]) if tls else None)
    try:
        if password := fields.get("password"):
            named = [fields["username"]] if fields.get("username") else []
            await _redis_command(reader, writer, "AUTH", *named, password)
        await _redis_command(reader, writer, "SELECT", str(fields.get("database", 0)))
        await _redis_command(reader, writer, "PING")
    finally:
        writer.close()


async def _redis_command(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *words: str) -> None:
    encoded = [word.encode() for word in words]
    parts = [b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded]
    writer.write(b"*%d\r\n%s" % (len(encoded), b"".join(parts)))
    await writer.drain()
    answer = await reader.readline()
    if answer[:1] == b"-":
        wanted = "wants a password." if answer.startswith(b"-NOAUTH") else "does not accept these fields."
        raise _SignInRefused(wanted if words[0] != "AUTH" else "does not accept this user and password.")
    if answer[:1] not in {b"+", b":"}:
        raise _SignInRefused("does not answer as Redis does.")


async def _smtp(fields: Fields, address: str) -> None:
    """Speak to a mail server in a thread, and cut its line when time is up: the library only limits each silence."""
    lever = _Lever()
    try:
        await asyncio.to_thread(_smtp_in_thread, fields, address, lever)
    finally:
        lever.pull()


class _Lever:
    """Cuts a connection from outside of the thread that waits for it."""

    def __init__(self) -> None:
        self._line: socket.socket | None = None
        self._is_pulled = False

    def hold(self, opened: socket.socket) -> None:
        """Take hold of a connection; one that comes too late is cut at once."""
        self._line = opened.dup()
        if self._is_pulled:
            self.pull()

    def pull(self) -> None:
        """End the connection; whoever reads from it wakes up."""
        self._is_pulled = True
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)
            self._line.close()


def _smtp_in_thread(fields: Fields, address: str, lever: _Lever) -> None:
    host, port, security = str(fields["host"]), int(fields["port"]), str(fields["security"])
    context = ssl.create_default_context()
    with _Smtp(lever, address, host, port, context if security == "tls" else None) as server:
        server.ehlo()
        if security == "starttls":
            server.starttls(context=context)
            server.ehlo()
        if fields.get("username"):
            try:
                server.login(str(fields["username"]), str(fields.get("password") or ""))
            except smtplib.SMTPAuthenticationError as error:
                raise _SignInRefused("does not accept this user and password.") from error


class _Smtp(smtplib.SMTP):
    """A mail connection to the address that was checked, under the name that certificates are checked for."""

    def __init__(self, lever: _Lever, address: str, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self._lever = lever
        self._address = address
        self._context = context
        super().__init__(host, port, timeout=DEADLINE_S)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        opened = socket.create_connection((self._address, port), timeout)
        self._lever.hold(opened)
        return self._context.wrap_socket(opened, server_hostname=host) if self._context else opened


PROTOCOLS: dict[str, Callable[[Fields, str], Awaitable[None]]] = {
    "postgres": _postgres, "redis": _redis, "smtp": _smtp,
}
