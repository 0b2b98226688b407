"""The other side of `kernel.confined`: a process that does one call after another and holds no secret."""

import ctypes
import importlib
import io
import os
import pickle
import resource
import signal
import sys
from enum import Enum
from typing import Any, BinaryIO

from automatos.kernel.confined import BEGUN, LENGTH_BYTES
from automatos.kernel.errors import Problem

MEMORY_BYTES = 1024**3
OUTPUT_FILE_BYTES = 0
NICENESS = 10
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve calls from standard input until it ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    _confine()
    calls = sys.stdin.buffer
    while head := calls.read(LENGTH_BYTES):
        _serve(calls.read(int.from_bytes(head, "big")), answers)


def _confine() -> None:
    """Bound memory and files, give way to the server, and end with it even in the middle of work."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT_FILE_BYTES, OUTPUT_FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _serve(call: bytes, answers: BinaryIO) -> None:
    answers.write(BEGUN)
    answers.flush()
    cpu_s, module, name, given, named = pickle.loads(call)  # noqa: S301  # written by the server itself
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + cpu_s + 1, resource.RLIM_INFINITY))
    answer = _written(_done(module, name, given, named))
    answers.write(len(answer).to_bytes(LENGTH_BYTES, "big") + answer)
    answers.flush()


class _Writer(pickle.Pickler):
    """Writes members of enumerations by their value; Python 3.11.0 to 3.11.3 would ask the reader for `getattr`."""

    def reducer_override(self, value: object) -> Any:
        return (type(value), (value.value,)) if isinstance(value, Enum) else NotImplemented


def _written(answer: tuple[bool, Any]) -> bytes:
    written = io.BytesIO()
    _Writer(written, pickle.HIGHEST_PROTOCOL).dump(answer)
    return written.getvalue()


def _done(module: str, name: str, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[bool, Any]:
    try:
        return True, getattr(importlib.import_module(module), name)(*given, **named)
    except Problem as problem:
        return False, (type(problem), problem.args, problem.__dict__)  # most constructors take something else
    except MemoryError:
        os._exit(1)  # told as what it is: the call took too much
    except Exception as error:  # noqa: BLE001  # whatever it was, the caller hears of it
        return False, f"{module}.{name}: {type(error).__name__}: {str(error)[:500]}"


if __name__ == "__main__":
    main()
