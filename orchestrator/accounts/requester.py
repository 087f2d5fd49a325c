"""Who asks. Made once for each request, by its API key, and handed down: limits, fairness and metering read it."""

from typing import Self
from uuid import UUID

import msgspec

from lectern_contract import Lane


class Requester(msgspec.Struct, frozen=True, kw_only=True):
    """``key``: the API key that was sent; None for a job, which works for the account alone.

    ``listener`` tells apart those who listen to one thing by many requests; None for a single request.
    """

    account: UUID
    plan: str
    key: UUID | None = None
    lane: Lane = "live"
    listener: UUID | None = None

    def in_lane(self, lane: Lane) -> Self:
        return msgspec.structs.replace(self, lane=lane)

    def listening_to(self, listener: UUID, lane: Lane) -> Self:
        return msgspec.structs.replace(self, listener=listener, lane=lane)
