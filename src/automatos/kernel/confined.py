"""Work on other people's bytes, done in processes of its own that are killed when it takes too much.

A thread cannot be stopped and holds up every other one; a process can be. Each runs one call at a time under a budget
of processor time, a bound of memory and a deadline, knows nothing of the settings and secrets of the server, and is
kept warm for the next call. What comes back is read as data: numbers, texts, collections and those records of the
product that are registered with `comes_back`.
"""

import asyncio
import contextlib
import io
import os
import pickle
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

from automatos.kernel.errors import Problem

Given = ParamSpec("Given")
Made = TypeVar("Made")
Call = tuple[str, str, tuple[Any, ...], dict[str, Any]]
"""A function by its module and name, and its arguments."""
MAX_PROCESSES, MAX_OF_ONE_OWNER, KEPT_WARM = 4, 2, 2
MAX_CALLS = 500
"""After so many a process is replaced, so that what a library forgot to free does not grow for ever."""
MAX_ANSWER_BYTES = 512 * 1024 * 1024
LENGTH_BYTES = 8
PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
BEGUN = b"\x01"
"""What a process says when it has read a call whole and sets to work."""
Kind = TypeVar("Kind", bound=type)
_known: dict[tuple[str, str], type] = {}


def comes_back(kind: Kind) -> Kind:
    """Let a record, an enumeration or a problem be part of what a confined function answers; nothing else may be."""
    _known[kind.__module__, kind.__qualname__] = kind
    return kind


@comes_back
class TooCostly(Problem):
    """Reading it took more processor time, memory or time than is given to one call; nothing was changed."""

    status = 422
    code = "too_costly"
    title = "It takes too much work to read"


class _Gone(Exception):
    """The process was not there any more when it was to begin."""


class ConfinedFailed(Exception):
    """A call ended with an error that is no answer to its caller: a fault of ours."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one call may take: processor seconds, and seconds until it is killed however busy the machine is."""

    cpu_s: int = 10
    deadline_s: float = 60.0


USUAL = Allowance()


class Pool:
    """The processes of one event loop; they start when they are needed and end with `close`."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(MAX_PROCESSES)
        self._owners: dict[object, tuple[asyncio.Semaphore, int]] = {}
        self._warm: list[_Child] = []

    async def run(self, task: Call, allowed: Allowance, owner: object) -> Any:
        """Do one call; of one owner's, two run at once and the others wait, so that everybody else finds a place."""
        async with self._turn_of(owner), self._free:
            try:
                async with asyncio.timeout(allowed.deadline_s):
                    answer = await self._ask(task, allowed)
            except TimeoutError:
                raise TooCostly(f"Reading it took longer than {allowed.deadline_s:g} s and was stopped.") from None
        return await _told(answer)

    async def _ask(self, task: Call, allowed: Allowance) -> bytes:
        """Ask a warm process or a new one; one that ended while it was idle says nothing of the work."""
        while True:
            warm = self._warm.pop() if self._warm else None
            child = warm or await _Child.start()
            try:
                return await child.ask(task, allowed)
            except _Gone as error:
                if warm is None:
                    raise _died(allowed) from error
            finally:
                self._put_back(child)

    @asynccontextmanager
    async def _turn_of(self, owner: object) -> AsyncGenerator[None]:
        turns, count = self._owners.get(owner) or (asyncio.Semaphore(MAX_OF_ONE_OWNER), 0)
        self._owners[owner] = turns, count + 1
        try:
            async with turns:
                yield
        finally:
            turns, count = self._owners.pop(owner)
            if count > 1:
                self._owners[owner] = turns, count - 1

    def _put_back(self, child: "_Child") -> None:
        """Keep a process that answered; one that was interrupted is in the middle of something, and is killed."""
        if child.is_ready and child.calls < MAX_CALLS and len(self._warm) < KEPT_WARM:
            self._warm.append(child)
        else:
            child.kill()

    async def close(self) -> None:
        """End every process."""
        warm, self._warm = self._warm, []
        for child in warm:
            child.kill()
            await child.ended()


class _Child:
    """One process and whether it waits for a call."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.is_ready = True
        self.calls = 0

    @classmethod
    async def start(cls) -> "_Child":
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        return cls(await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "automatos.kernel.confined_child", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, cwd="/", start_new_session=True,
            env=environment | {"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}))

    async def ask(self, task: Call, allowed: Allowance) -> bytes:
        """Return the answer as bytes; raises _Gone when the process died before the work, TooCostly when over it."""
        self.is_ready = False
        self.calls += 1
        call = await asyncio.to_thread(pickle.dumps, (allowed.cpu_s, *task), pickle.HIGHEST_PROTOCOL)
        to, back = cast("asyncio.StreamWriter", self._process.stdin), cast("asyncio.StreamReader", self._process.stdout)
        try:
            to.writelines((len(call).to_bytes(LENGTH_BYTES, "big"), call))
            await to.drain()
            await back.readexactly(len(BEGUN))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise _Gone from error
        try:
            size = int.from_bytes(await back.readexactly(LENGTH_BYTES), "big")
            if size > MAX_ANSWER_BYTES:
                raise TooCostly(f"What it holds is larger than {MAX_ANSWER_BYTES} bytes.")
            answer = await back.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise _died(allowed) from error
        self.is_ready = True
        return answer

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def ended(self) -> None:
        await self._process.wait()


def _died(allowed: Allowance) -> TooCostly:
    return TooCostly(f"Reading it took more than {allowed.cpu_s} s of processor time, or more memory than one call may "
                     "have, and was stopped.")


async def _told(answer: bytes) -> Any:
    is_answer, value = await asyncio.to_thread(_read, answer)
    if is_answer:
        return value
    raise ConfinedFailed(value) if isinstance(value, str) else _rebuilt(*value)


def _rebuilt(kind: type[Any], said: tuple[Any, ...], state: dict[str, Any]) -> Problem:
    """Make a problem again from what it said of itself; its status and headers are not the other side's to choose."""
    if not issubclass(kind, Problem):
        raise ConfinedFailed(f"an answer names {kind.__qualname__} as a problem")
    problem = kind.__new__(kind, *said)
    problem.args = said
    problem.__dict__.update({name: value for name, value in state.items() if not hasattr(kind, name)})
    problem.headers = {}
    return problem


class _Reader(pickle.Unpickler):
    """Builds nothing but data and what is registered, whatever the other side wrote; it imports nothing for it."""

    def find_class(self, module: str, name: str) -> Any:
        if found := _known.get((module, name)):
            return found
        raise ConfinedFailed(f"an answer holds {module}.{name}")


def _read(answer: bytes) -> tuple[bool, Any]:
    return _Reader(io.BytesIO(answer)).load()


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()


async def confined(
    work: Callable[Given, Made], /, *given: Given.args, **named: Given.kwargs
) -> Made:
    """Call a function of a module in a process of its own, within the usual allowance."""
    return await confined_for(None, USUAL, work, *given, **named)


async def confined_for(
    owner: object, allowed: Allowance, work: Callable[Given, Made], /, *given: Given.args, **named: Given.kwargs
) -> Made:
    """The same for somebody, a workspace as a rule, who takes no more than two of the processes at once.

    Raises:
        TooCostly: it took too much; the process was killed.
        ConfinedFailed: the function failed in a way that is no `Problem`.
        Problem: the function's own.
    """
    pool = _pools.setdefault(asyncio.get_running_loop(), Pool())
    return await pool.run((work.__module__, work.__qualname__, given, named), allowed, owner)


async def close_pool() -> None:
    """End the processes of this event loop; the next call starts new ones."""
    if pool := _pools.pop(asyncio.get_running_loop(), None):
        await pool.close()
