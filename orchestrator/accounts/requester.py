"""Who asks for speech, and how soon it is wanted."""

from uuid import UUID

import msgspec

from lectern_contract import Lane


class Requester(msgspec.Struct, frozen=True):
    """``listener`` tells apart those who listen to one thing by many requests; None for a single request."""

    account: UUID
    lane: Lane = "live"
    listener: UUID | None = None
