"""Positions that come by a plain request, on their way to the playback they are for, in whatever process that is."""

from typing import Final
from uuid import UUID, uuid4

import msgspec

from orchestrator.lib.pubsub import PubSub
from orchestrator.playback import positions
from orchestrator.playback.open_playbacks import OpenPlaybacks
from orchestrator.playback.schemas import NewPosition, PositionView

_CHANNEL: Final = "lectern_position"


class _Move(msgspec.Struct, frozen=True):
    origin: UUID
    account: UUID
    document: UUID
    block: UUID
    seconds: float
    name: str | None


class PositionUpdates:
    def __init__(self, pubsub: PubSub, listeners: OpenPlaybacks) -> None:
        self._pubsub = pubsub
        self._listeners = listeners
        self._origin = uuid4()
        pubsub.subscribe(_CHANNEL, self._hear, self._catch_up)

    async def make(self, account: UUID, document: UUID, new: NewPosition) -> PositionView:
        """Stores the position and tells the listeners. Raises `NotFound`."""
        view = await positions.store(account, document, new.block, new.seconds)
        move = _Move(self._origin, account, document, new.block, new.seconds, new.session)
        self._tell(move)  # at once, and also where messages are not heard at the moment
        await self._pubsub.send(_CHANNEL, msgspec.json.encode(move).decode())
        return view

    def _hear(self, payload: str) -> None:
        move = msgspec.json.decode(payload, type=_Move)
        if move.origin != self._origin:
            self._tell(move)

    def _tell(self, move: _Move) -> None:
        self._listeners.move(move.account, move.document, move.block, move.seconds, name=move.name)

    async def _catch_up(self, gap: float) -> None:
        """What other processes said in the meantime is lost; what they stored is not."""
        for moved in await positions.recent(gap):
            self._listeners.move(moved.account, moved.document, moved.block, moved.seconds)
