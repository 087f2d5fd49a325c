"""What listener and server say to each other, and where a listener is."""

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
        SessionName | None, Meta(description="PositionUpdates only the playback that was opened with this name.")
    ] = None


class PositionView(Schema):
    block: UUID
    seconds: float
    updated_at: datetime


class AtPosition(Schema, tag_field="type", tag="position"):
    """The listener is here."""

    block: UUID
    seconds: Seconds = 0.0


class Again(Schema, tag_field="type", tag="retry"):
    """A block that failed, or whose audio is no longer there, is to be made after all."""

    block: UUID


class Stop(Schema, tag_field="type", tag="stop"):
    """Nothing more is wanted until the next position."""


ClientMessage = AtPosition | Again | Stop


class Beginning(msgspec.Struct, frozen=True):
    block: UUID
    seconds: float


class BlockInfo(msgspec.Struct, frozen=True):
    id: UUID
    position: int
    seconds: float  # estimated


class PlaybackMessage(msgspec.Struct, frozen=True, tag_field="type", tag="playback"):
    """The first one. ``total`` counts the blocks that are read aloud, all of ``blocks`` and of `BlocksMessage`."""

    document: UUID
    window: float
    begin: Beginning | None  # None: nothing is read aloud from there on
    total: int
    blocks: list[BlockInfo]


class BlocksMessage(msgspec.Struct, frozen=True, tag_field="type", tag="blocks"):
    """More of a long document's blocks."""

    blocks: list[BlockInfo]


class BlockMessage(msgspec.Struct, frozen=True, tag_field="type", tag="block", omit_defaults=True):
    """What has become of a block."""

    block: UUID
    state: State
    url: str | None = None
    seconds: float | None = None
    retry_after: int | None = None
    error: dict[str, Any] | None = None


class ErrorMessage(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    error: dict[str, Any]


ServerMessage = PlaybackMessage | BlocksMessage | BlockMessage | ErrorMessage
