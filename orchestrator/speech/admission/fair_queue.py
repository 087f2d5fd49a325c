"""The order in which segments come to a model: what a listener waits for first, and one account after another.

Within the live lane, a segment that somebody waits for goes before one that is made ahead: without the first a listener
hears nothing, without the second only has less in store.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Final
from uuid import UUID

import msgspec

from orchestrator.accounts.requester import Requester

NEEDED: Final = 0  # live, and its listener hears nothing until it comes
AHEAD: Final = 1  # live, and made ahead
BATCH: Final = 2
RANKS: Final = (NEEDED, AHEAD, BATCH)


class QueuedSegment(msgspec.Struct, eq=False):
    """One segment on its way to a model.

    ``work``: its estimated seconds of speech. ``needed``: a live listener hears nothing until it comes. ``until``: its
    deadline, in loop time.
    """

    requester: Requester
    work: float
    needed: bool
    until: float
    called: asyncio.Future[None] | None = None  # set when its turn has come
    limit: asyncio.Timeout | None = None  # of its wait

    @property
    def rank(self) -> int:
        if self.requester.lane == "batch":
            return BATCH
        return NEEDED if self.needed else AHEAD


class FairQueue:
    """Segments by rank, and within a rank by account, in the order of the accounts' turns."""

    def __init__(self) -> None:
        self._ranks: tuple[OrderedDict[UUID, deque[QueuedSegment]], ...] = tuple(OrderedDict() for _ in RANKS)

    def __iter__(self) -> Iterator[QueuedSegment]:
        return (segment for rank in RANKS for segment in self.of_rank(rank))

    def of_rank(self, rank: int) -> Iterator[QueuedSegment]:
        return (segment for queue in self._ranks[rank].values() for segment in queue)

    def by_account(self, rank: int) -> dict[UUID, list[QueuedSegment]]:
        return {account: list(queue) for account, queue in self._ranks[rank].items()}

    def add(self, segment: QueuedSegment) -> None:
        self._ranks[segment.rank].setdefault(segment.requester.account, deque()).append(segment)

    def remove(self, segment: QueuedSegment) -> bool:
        """Returns whether it was there."""
        accounts = self._ranks[segment.rank]
        queue = accounts.get(segment.requester.account)
        if queue is None or segment not in queue:
            return False
        queue.remove(segment)
        if not queue:
            del accounts[segment.requester.account]
        return True

    def next(self, rank: int) -> QueuedSegment | None:
        """Removes and returns the next one."""
        accounts = self._ranks[rank]
        if not accounts:
            return None
        segment = next(iter(accounts.values()))[0]
        self.take(segment)
        return segment

    def take(self, segment: QueuedSegment) -> None:
        """Removes one that is there. Its account goes to the end, so that the others come first."""
        self.remove(segment)
        accounts = self._ranks[segment.rank]
        if segment.requester.account in accounts:
            accounts.move_to_end(segment.requester.account)


def before(rank: int, account: UUID, *queues: FairQueue) -> list[QueuedSegment]:
    """Returns the segments that get a slot before a new one of this account and rank.

    These are all of the earlier ranks, all of the account itself, and of each other account as many and one more, as
    accounts take turns.
    """
    found = [segment for earlier in range(rank) for queue in queues for segment in queue.of_rank(earlier)]
    demand: dict[UUID, list[QueuedSegment]] = {}
    for queue in queues:
        for other, segments in queue.by_account(rank).items():
            demand.setdefault(other, []).extend(segments)
    own = demand.pop(account, [])
    return [*found, *own, *(segment for segments in demand.values() for segment in segments[: len(own) + 1])]
