"""Each account's last position in each document, and how a socket's position is stored."""

import asyncio
from typing import Final
from uuid import UUID

import msgspec
import structlog

from orchestrator.accounts.requester import Requester
from orchestrator.documents import service as documents
from orchestrator.lib.database import is_outage, run
from orchestrator.lib.errors.problems import NotFound
from orchestrator.lib.ids import new_id
from orchestrator.playback.schemas import PositionView

_READ: Final = "SELECT block, seconds, updated_at FROM listening_position WHERE account = {} AND document = {}"
_STORE: Final = (
    "INSERT INTO listening_position (id, account, document, block, seconds, updated_at)"
    " SELECT {}::uuid, document.account, document.id, block.id, {}::float8, now()"
    " FROM block JOIN document ON document.id = block.document"
    " WHERE block.id = {} AND document.id = {} AND document.account = {}"
    " ON CONFLICT (account, document) DO UPDATE"
    " SET block = excluded.block, seconds = excluded.seconds, updated_at = excluded.updated_at"
    " RETURNING block, seconds, updated_at"
)
_RECENT: Final = (
    "SELECT account, document, block, seconds FROM listening_position"
    " WHERE updated_at > now() - make_interval(secs => {}) ORDER BY updated_at"
)
_SAVE_INTERVAL: Final = 3.0  # seconds between two writes; a crash loses no more than that
_LAST_SAVE_TIMEOUT: Final = 5.0  # seconds

log = structlog.stdlib.get_logger("lectern.playback")


class StoredPosition(msgspec.Struct, frozen=True):
    account: UUID
    document: UUID
    block: UUID
    seconds: float


async def stored(requester: Requester, document: UUID) -> PositionView | None:
    found = await run(_READ, requester.account, document)
    return msgspec.convert(found[0], PositionView) if found else None


async def required(requester: Requester, document: UUID) -> PositionView:
    """Raises `NotFound`."""
    found = await stored(requester, document)
    if found is None:
        await documents.get(requester, document)
        raise NotFound("Nobody has listened to this document yet, so there is no position.")
    return found


async def store(requester: Requester, document: UUID, block: UUID, seconds: float) -> PositionView:
    """Raises `NotFound`."""
    found = await run(_STORE, new_id(), seconds, block, document, requester.account)
    if not found:
        await documents.get(requester, document)
        raise NotFound(f"Document {document} has no block {block}.")
    return msgspec.convert(found[0], PositionView)


async def recent(seconds: float) -> list[StoredPosition]:
    """Returns the positions stored within the last ``seconds``, oldest first."""
    return msgspec.convert(await run(_RECENT, seconds), list[StoredPosition])


class PositionSaver:
    """Stores the position of one socket every few seconds: players send it more often than that."""

    def __init__(self, requester: Requester, document: UUID) -> None:
        self._requester = requester
        self._document = document
        self._unsaved: tuple[UUID, float] | None = None
        self._changed = asyncio.Event()

    def update(self, block: UUID, seconds: float) -> None:
        self._unsaved = block, seconds
        self._changed.set()

    async def keep_saving(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._save()
            await asyncio.sleep(_SAVE_INTERVAL)

    async def finish(self) -> None:
        """Stores the last position, if it is not stored yet."""
        try:
            await asyncio.wait_for(self._save(), _LAST_SAVE_TIMEOUT)
        except TimeoutError:
            log.warning("the last position was not stored")

    async def _save(self) -> None:
        unsaved = self._unsaved
        if unsaved is None:
            return
        try:
            await store(self._requester, self._document, *unsaved)
        except NotFound:
            log.debug("position of a document that was deleted meanwhile")
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("position not stored", error=str(error))
            self._changed.set()
            return
        # Only now: if the write is cancelled, `finish` still has the position.
        if self._unsaved is unsaved:
            self._unsaved = None
