"""The sandbox: shell commands in bubblewrap, with no network, one folder and hard limits; or not at all."""

import asyncio
import contextlib
import math
import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from automatos.tools import quota
from automatos.tools.errors import ToolRefused
from automatos.tools.room import Room, room_alone
from automatos.tools.types import ResourceLimits

MAX_OUTPUT_BYTES = 64 * 1024
TMP_BYTES = 64 * 1024 * 1024
PROBE_TIMEOUT_S = 10.0
MAX_CPU_S = 30
MAX_MEMORY_BYTES = 2 * 1024**3
MAX_FILE_BYTES = 32 * 1024**2
LIMITS = ("--nproc=64", "--nofile=256", "--core=0")
ISOLATION = (
    "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
    "--disable-userns", "--die-with-parent", "--new-session", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL",
    "--clearenv", "--hostname", "sandbox",
)
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/work", "LANG": "C.UTF-8", "TMPDIR": "/tmp"}  # noqa: S108 - its own
PROBE = "test $(id -u) = 65534 && test ! -e /etc/shadow && echo made > probe && cat probe"


@dataclass(frozen=True, slots=True)
class Order:
    """A command to run in a folder, which it sees as /work, within some time.

    `limits` are the agent's own; the server's hold above them. `extra` is a folder that the command may read as
    /skill, and `given` a file that it reads as standard input. Without a `room` the folder is one of no workspace.
    """

    command: str
    folder: Path
    timeout_s: float
    limits: ResourceLimits | None = None
    extra: Path | None = None
    given: Path | None = None
    room: Room | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended: its exit code and what it printed, both streams together, cut at 64 kB."""

    exit_code: int
    output: str
    is_cut: bool


class Sandbox:
    """Runs commands for agents; `off_reason` says why it cannot, and then it refuses every command."""

    def __init__(self) -> None:
        self.off_reason: str | None = "The sandbox has not been tried yet."

    async def probe(self, folder: Path) -> None:
        """Find out, by running one command under `folder`, whether this machine can confine commands."""
        self.off_reason = await self._find_fault(folder)

    async def run(self, order: Order) -> Finished:
        """Run a command; kills all it started when time is up or the caller is cancelled.

        Raises:
            ToolRefused: the sandbox is off, or broke; the command is never run outside it.
            TimeoutError: the command did not end in time.
        """
        if self.off_reason:
            raise ToolRefused("tool_off", f"The shell is off on this server: {self.off_reason}")
        return await self._run(order)

    async def _find_fault(self, folder: Path) -> str | None:
        missing = [program for program in ("bwrap", "prlimit", "setpriv") if not shutil.which(program)]
        if missing:
            return f"{' and '.join(missing)} not installed (packages bubblewrap and util-linux)."
        try:
            with _probe_folder(folder) as place:
                done = await self._run(Order(PROBE, place, PROBE_TIMEOUT_S))
        except (OSError, TimeoutError, ToolRefused) as error:
            return f"bubblewrap could not be tried: {str(error)[:200] or type(error).__name__}."
        if done.exit_code != 0 or done.output.strip() != "made":
            return f"bubblewrap does not work here: {done.output.strip()[:200] or f'exit code {done.exit_code}'}"
        return None

    async def _run(self, order: Order) -> Finished:
        room = order.room or room_alone(order.folder)
        held = await asyncio.to_thread(quota.measure, order.folder)
        process = await _start(order, max(0, room.most - held))
        # A folder that is full already is written to by nothing; what remains to be done there is deleting.
        watch = asyncio.create_task(_stop_beyond(room, order.folder, process)) if held <= room.most else None
        try:
            async with asyncio.timeout(order.timeout_s):
                output, is_cut = await _read(process)
                exit_code = await process.wait()
        finally:
            _kill(process)
            await process.wait()
            if watch:
                watch.cancel()
        if watch and watch.done() and not watch.cancelled():
            raise quota.full(quota.MAX_BYTES + 1, room.most)
        room.note(await asyncio.to_thread(quota.measure, order.folder))
        return Finished(exit_code, output.decode("utf-8", "replace"), is_cut)


async def _stop_beyond(room: Room, folder: Path, process: asyncio.subprocess.Process) -> None:
    await room.wait_until_beyond(folder)
    _kill(process)


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


async def _start(order: Order, room: int) -> asyncio.subprocess.Process:
    try:
        with (order.given or Path(os.devnull)).open("rb") as given:
            return await asyncio.create_subprocess_exec(
                *_without_root(), *bubblewrap(order.folder, order.extra), "--", "/usr/bin/prlimit", *held_to(order),
                f"--fsize={min(MAX_FILE_BYTES, room)}",
                "--", "/bin/sh", "-c", order.command,
                stdin=given, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                start_new_session=True, cwd="/", env={"PATH": os.defpath},
            )
    except OSError as error:
        raise ToolRefused("sandbox_failed", "The sandbox could not be started, so nothing was run.") from error


def held_to(order: Order) -> list[str]:
    """Return the limits of a command: the server's own, and the agent's where it says less."""
    memory, cpu_s = MAX_MEMORY_BYTES, MAX_CPU_S
    if order.limits:
        memory = min(memory, order.limits.memory_mb * 1024**2)
        cpu_s = min(cpu_s, math.ceil(order.timeout_s * order.limits.cpu_percent / 100))
    return [f"--cpu={cpu_s}", f"--as={memory}", *LIMITS]


def bubblewrap(folder: Path, extra: Path | None = None) -> list[str]:
    """Return the command line that confines what follows it to `folder`, and to reading `extra`."""
    line = [shutil.which("bwrap") or "bwrap", *ISOLATION]
    for name, value in ENVIRONMENT.items():
        line += ["--setenv", name, value]
    line += ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib64"):
        path = Path("/") / name
        if path.is_symlink():
            line += ["--symlink", f"usr/{name}", f"/{name}"]
        elif path.is_dir():
            line += ["--ro-bind", f"/{name}", f"/{name}"]
    if extra is not None:
        line += ["--ro-bind", str(extra), "/skill"]
    return [
        *line, "--ro-bind-try", "/etc/alternatives", "/etc/alternatives", "--proc", "/proc", "--dev", "/dev",
        "--size", str(TMP_BYTES), "--tmpfs", "/tmp", "--bind", str(folder), "/work",  # noqa: S108
        "--remount-ro", "/", "--chdir", "/work",
    ]


def sandbox_owner() -> tuple[int, int] | None:
    """Return the uid and gid commands run as when we are root, whose processes no limit would hold; else None."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def _without_root() -> list[str]:
    """Return the command line that gives up root for good before anything else runs; nothing when we are not root."""
    owner = sandbox_owner()
    if owner is None:
        return []
    return ["setpriv", f"--reuid={owner[0]}", f"--regid={owner[1]}", "--clear-groups", "--inh-caps=-all", "--"]


def prepare_folder(folder: Path) -> None:
    """Make a folder that only its owner can read, owned by whom sandboxed commands run as."""
    folder.mkdir(parents=True, exist_ok=True)
    if owner := sandbox_owner():
        os.chown(folder, *owner)
    folder.chmod(0o700)


@contextlib.contextmanager
def _probe_folder(parent: Path) -> Generator[Path]:
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix="probe-") as place:
        prepare_folder(Path(place))
        yield Path(place)


async def _read(process: asyncio.subprocess.Process) -> tuple[bytes, bool]:
    """Read all that is printed and keep the first 64 kB, so that a flood neither blocks nor fills memory."""
    kept, stream = bytearray(), process.stdout
    seen = 0
    while stream is not None and (part := await stream.read(65536)):
        seen += len(part)
        kept += part[: MAX_OUTPUT_BYTES - len(kept)]
    return bytes(kept), seen > MAX_OUTPUT_BYTES
