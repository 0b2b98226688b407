"""Before anything is started: may this server run as configured, is its port free, can its home be written?"""

import errno
import socket
from pathlib import Path
from typing import ClassVar

from automatos.kernel.config import Settings
from automatos.kernel.errors import Problem

PORTS_TRIED = 20


class OpenServerRefused(Problem):
    """REQUIRE_AUTH=false was asked for on an address that others can reach."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "open_server_refused"
    title: ClassVar[str] = "A server without sign-in must stay on this machine"

    def __init__(self, host: str) -> None:
        super().__init__(f"REQUIRE_AUTH=false makes everybody the owner, and {host} can be reached by others. "
                         "Set AUTOMATOS_HOST=127.0.0.1, or leave REQUIRE_AUTH at true.")


class PortTaken(Problem):
    """Somebody else listens where the server should."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "port_taken"
    title: ClassVar[str] = "The port is taken"


class CannotListen(Problem):
    """The server may not, or cannot, listen on the configured address."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "address_refused"
    title: ClassVar[str] = "The address cannot be used"


class HomeUnwritable(Problem):
    """The data directory cannot be written."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "home_unwritable"
    title: ClassVar[str] = "The data directory cannot be written"


def refuse_open_server(settings: Settings) -> None:
    """Refuse to start without sign-in on an address that others can reach.

    Raises:
        OpenServerRefused: REQUIRE_AUTH=false and AUTOMATOS_HOST is not a loopback address.
    """
    if not settings.require_auth and not settings.is_loopback:
        raise OpenServerRefused(settings.host)


def reserve_address(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address but not listening yet: clients are refused until the server is ready.

    Raises:
        PortTaken: names who has it, where that can be seen, and the next free port.
        CannotListen: the address is not of this machine, or the port needs more rights.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"{host}:{port} is no address to listen on ({error}). Correct AUTOMATOS_HOST.") from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise _why(host, port, error) from error
    return listener


def _why(host: str, port: int, error: OSError) -> Problem:
    if error.errno == errno.EADDRINUSE:
        free = _next_free(host, port)
        other = f"--port {free}" if free else "another --port"
        return PortTaken(f"Port {port} of {host} is taken{_by_whom(port)}. Stop that one, or use {other} "
                         "(or AUTOMATOS_PORT).")
    return CannotListen(f"{host}:{port} cannot be listened on ({error.strerror}). Choose another AUTOMATOS_HOST or "
                        "AUTOMATOS_PORT; ports below 1024 need special rights.")


def _by_whom(port: int) -> str:
    """Return ` by NAME (pid N)`, or nothing where this user may not see it."""
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.pid and connection.laddr[1:] == (port,):
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        return ""
    return ""


def _next_free(host: str, port: int) -> int | None:
    for candidate in range(port + 1, min(port + PORTS_TRIED, 65_536)):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex((host, candidate)):
                return candidate
    return None


def make_home(settings: Settings) -> None:
    """Make the data directory; raises HomeUnwritable."""
    home = settings.home
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o711)  # others may pass through: the database runs as one of them
        probe = home / ".write-probe"
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError as error:
        raise HomeUnwritable(
            f"The data directory {home} cannot be written ({error.strerror}). Make it writable for this user, or set "
            "AUTOMATOS_HOME (or --home) to another directory."
        ) from error


def package_file(name: str) -> Path:
    """Return a folder that ships with the package, or lies at the root of a checkout."""
    package = Path(__file__).parents[1]
    inside = package / name
    return inside if inside.is_dir() else package.parents[1] / name
