"""Where each account is in each document."""

from typing import Final
from uuid import UUID

import msgspec

from orchestrator.documents import service as documents
from orchestrator.lib.database import run
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


class Moved(msgspec.Struct, frozen=True):
    account: UUID
    document: UUID
    block: UUID
    seconds: float


async def stored(account: UUID, document: UUID) -> PositionView | None:
    found = await run(_READ, account, document)
    return msgspec.convert(found[0], PositionView) if found else None


async def required(account: UUID, document: UUID) -> PositionView:
    """Raises `NotFound`."""
    found = await stored(account, document)
    if found is None:
        await documents.get(account, document)
        raise NotFound("Nobody has listened to this document yet, so there is no position.")
    return found


async def store(account: UUID, document: UUID, block: UUID, seconds: float) -> PositionView:
    """Raises `NotFound`."""
    found = await run(_STORE, new_id(), seconds, block, document, account)
    if not found:
        await documents.get(account, document)
        raise NotFound(f"Document {document} has no block {block}.")
    return msgspec.convert(found[0], PositionView)


async def recent(seconds: float) -> list[Moved]:
    """Those stored within the last so many seconds, oldest first."""
    return msgspec.convert(await run(_RECENT, seconds), list[Moved])
