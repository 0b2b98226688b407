"""Identifiers."""

import os
import threading
import uuid

from automatos.kernel.clock import now

CORRECTED_MS = 10_000
"""A clock that is so much earlier than before was wrong then, and ids of a wrong time are not made any longer."""
_lock = threading.Lock()
_last_ms = 0
_counter = 0


def new_id() -> uuid.UUID:
    """Return a new UUIDv7; ids made by one process sort in the order they were made.

    48 bits of Unix milliseconds, a 12-bit counter within the millisecond and 62 random bits (RFC 9562, section 5.7).
    """
    global _last_ms, _counter  # noqa: PLW0603
    with _lock:
        now_ms = int(now().timestamp() * 1000)
        if now_ms > _last_ms or _last_ms - now_ms > CORRECTED_MS:
            _last_ms, _counter = now_ms, 0
        else:
            _counter += 1
            if _counter > 0xFFF:
                _last_ms, _counter = _last_ms + 1, 0
        stamp, counter = _last_ms, _counter
    tail = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    return uuid.UUID(int=(stamp << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | tail)
