"""The messages between listener and server, and the bodies of position requests."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from orchestrator.lib.schema import Schema

MOST_SECONDS: Final = 86_400  # no block lasts a day
Seconds = Annotated[float, Meta(ge=0, le=MOST_SECONDS, description="Seconds into the block, at the chosen speed.")]
SESSION_NAME: Final = r"^[A-Za-z0-9._-]{1,64}$"
SessionName = Annotated[
    str,
    Meta(
        pattern=SESSION_NAME,
        description="A name that the client chose for one playback: letters, digits, '.', '_' and '-'.",
    ),
]
State = Literal["queued", "making", "ready", "failed", "dropped"]


class NewPosition(Schema):
    block: UUID
    seconds: Seconds = 0.0
    session: Annotated[
        SessionName | None, Meta(description="Moves only the playback that was opened with this name.")
    ] = None


class PositionView(Schema):
    block: UUID
    seconds: float
    updated_at: datetime


class PositionMessage(Schema, tag_field="type", tag="position"):
    """Says where the listener is."""

    block: UUID
    seconds: Seconds = 0.0


class RetryMessage(Schema, tag_field="type", tag="retry"):
    """Asks to make a block anew that failed, or whose audio is gone."""

    block: UUID


class StopMessage(Schema, tag_field="type", tag="stop"):
    """Asks to make nothing until the next position."""


ClientMessage = PositionMessage | RetryMessage | StopMessage


class Position(msgspec.Struct, frozen=True):
    block: UUID
    seconds: float


class BlockInfo(msgspec.Struct, frozen=True):
    id: UUID
    position: int
    seconds: float  # estimated


class PlaybackMessage(msgspec.Struct, frozen=True, tag_field="type", tag="playback"):
    """The first message. ``total`` counts the blocks that are read aloud, here and in every `BlocksMessage`."""

    document: UUID
    window: float
    begin: Position | None  # None: nothing is read aloud from there on
    total: int
    blocks: list[BlockInfo]


class BlocksMessage(msgspec.Struct, frozen=True, tag_field="type", tag="blocks"):
    """More of a long document's blocks."""

    blocks: list[BlockInfo]


class BlockMessage(msgspec.Struct, frozen=True, tag_field="type", tag="block", omit_defaults=True):
    """The new state of a block."""

    block: UUID
    state: State
    url: str | None = None
    seconds: float | None = None
    retry_after: int | None = None
    error: dict[str, Any] | None = None


class ErrorMessage(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    error: dict[str, Any]


ServerMessage = PlaybackMessage | BlocksMessage | BlockMessage | ErrorMessage
