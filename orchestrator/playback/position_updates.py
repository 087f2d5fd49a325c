"""Position updates that come by a plain request, on their way to the playback in whatever process that runs."""

from typing import Final
from uuid import UUID, uuid4

import msgspec

from orchestrator.accounts.requester import Requester
from orchestrator.lib.pubsub import PubSub
from orchestrator.playback import positions
from orchestrator.playback.player import OpenPlaybacks
from orchestrator.playback.schemas import NewPosition, PositionView

_CHANNEL: Final = "lectern_position"


class _PositionUpdate(msgspec.Struct, frozen=True):
    origin: UUID
    account: UUID
    document: UUID
    block: UUID
    seconds: float
    name: str | None


class PositionUpdates:
    def __init__(self, pubsub: PubSub, open_playbacks: OpenPlaybacks) -> None:
        self._pubsub = pubsub
        self._open_playbacks = open_playbacks
        self._origin = uuid4()
        pubsub.subscribe(_CHANNEL, self._receive, self._catch_up)

    async def publish(self, requester: Requester, document: UUID, new: NewPosition) -> PositionView:
        """Stores the position and moves the open playbacks of every process. Raises `NotFound`."""
        view = await positions.store(requester, document, new.block, new.seconds)
        update = _PositionUpdate(self._origin, requester.account, document, new.block, new.seconds, new.session)
        self._apply(update)  # at once, and also while this process receives nothing
        await self._pubsub.send(_CHANNEL, msgspec.json.encode(update).decode())
        return view

    def _receive(self, payload: str) -> None:
        update = msgspec.json.decode(payload, type=_PositionUpdate)
        if update.origin != self._origin:
            self._apply(update)

    def _apply(self, update: _PositionUpdate) -> None:
        self._open_playbacks.move(update.account, update.document, update.block, update.seconds, name=update.name)

    async def _catch_up(self, gap: float) -> None:
        """The updates that other processes sent meanwhile are lost; the positions that they stored are not."""
        for stored in await positions.recent(gap):
            self._open_playbacks.move(stored.account, stored.document, stored.block, stored.seconds)
