"""Passwords: hashed by argon2 in threads, two at a time, so that signing in never stops the server."""

import asyncio

from pwdlib import PasswordHash

from automatos.workspaces.tokens import new_token

AT_ONCE = 2


class Passwords:
    """Hashes and checks passwords; a check takes as long for an unknown account as for a wrong password."""

    def __init__(self) -> None:
        self._hasher = PasswordHash.recommended()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash to store."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Say whether the password is right, and return a newer hash when the stored one has aged.

        `stored` is None for an account that does not exist or has no password: the answer is no, after the same work.
        """
        async with self._slots:
            return await asyncio.to_thread(self._verify, password, stored)

    def _verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        if self._decoy is None:
            self._decoy = self._hasher.hash(new_token().reveal())
        is_right, newer = self._hasher.verify_and_update(password, stored or self._decoy)
        return (is_right, newer) if stored else (False, None)
