"""Stores where the listener of one socket is: not at every message, as players send several a second."""

import asyncio
from typing import Final
from uuid import UUID

import structlog

from orchestrator.lib.database import is_outage
from orchestrator.lib.errors.problems import NotFound
from orchestrator.playback import positions

_PAUSE: Final = 3.0  # seconds between two writes; who crashes loses no more of the way than that
_PATIENCE: Final = 5.0  # for the last write

log = structlog.stdlib.get_logger("lectern.playback")


class PositionSaver:
    def __init__(self, account: UUID, document: UUID) -> None:
        self._account = account
        self._document = document
        self._latest: tuple[UUID, float] | None = None  # that is not stored yet
        self._news = asyncio.Event()

    def at(self, block: UUID, seconds: float) -> None:
        self._latest = block, seconds
        self._news.set()

    async def keep_storing(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self._store()
            await asyncio.sleep(_PAUSE)

    async def finish(self) -> None:
        """Stores the last position, if it is not stored yet."""
        try:
            await asyncio.wait_for(self._store(), _PATIENCE)
        except TimeoutError:
            log.warning("the last position was not stored")

    async def _store(self) -> None:
        latest = self._latest
        if latest is None:
            return
        try:
            await positions.store(self._account, self._document, *latest)
        except NotFound:
            log.debug("position of a document that was deleted meanwhile")
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("position not stored", error=str(error))
            self._news.set()
            return
        # Only now: if this is cancelled on its way, `finish` still has it.
        if self._latest is latest:
            self._latest = None
