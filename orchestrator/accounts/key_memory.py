"""Remembers for some seconds whose a key is, so that a listener's many requests do not each ask the database."""

import time
from typing import Final
from uuid import UUID

from orchestrator.accounts import keys
from orchestrator.accounts.service import account_of

_MOST: Final = 10_000  # keys; beyond that, all are forgotten and asked for anew


class KeyMemory:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._known: dict[bytes, tuple[UUID, float]] = {}

    async def account_of(self, key: str) -> UUID:
        """Raises `Unauthenticated`. Unknown keys are not remembered: a new key works at once."""
        digest = keys.digest(key)
        account, until = self._known.get(digest, (None, 0.0))
        if account is None or time.monotonic() >= until:
            account = await account_of(digest)
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[digest] = account, time.monotonic() + self._seconds
        return account
