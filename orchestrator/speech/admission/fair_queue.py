"""The order in which segments come to a model: what a listener waits for first, and one account after another.

Within the live lane, a segment that somebody waits for goes before one that is made ahead for somebody who still has
sound to hear: the first is silence, the second only a smaller store.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Final
from uuid import UUID

import msgspec

import lectern_contract as contract

NEEDED: Final = 0  # live, and its listener hears nothing until it is there
AHEAD: Final = 1  # live, and made ahead
BATCH: Final = 2
RANKS: Final = (NEEDED, AHEAD, BATCH)


class Requester(msgspec.Struct, frozen=True):
    """On whose behalf something is spoken, and how soon it is wanted.

    ``listener`` tells apart those who listen to one thing for a while, by many requests; None: it is one request.
    """

    account: UUID
    lane: contract.Lane = "live"
    listener: UUID | None = None


class QueuedSegment(msgspec.Struct, eq=False):
    """One segment on its way to a model. ``work``: the seconds it will last, ``until``: its deadline, loop time.

    ``needed``: somebody live hears nothing until it is there.
    """

    requester: Requester
    work: float
    needed: bool
    until: float
    called: asyncio.Future[None] | None = None
    limit: asyncio.Timeout | None = None  # while it waits

    @property
    def rank(self) -> int:
        if self.requester.lane == "batch":
            return BATCH
        return NEEDED if self.needed else AHEAD


class FairQueue:
    """Those who wait, by rank; within a rank the accounts in the order of their turns."""

    def __init__(self) -> None:
        self._ranks: tuple[OrderedDict[UUID, deque[QueuedSegment]], ...] = tuple(OrderedDict() for _ in RANKS)

    def __iter__(self) -> Iterator[QueuedSegment]:
        return (turn for rank in RANKS for turn in self.of(rank))

    def of(self, rank: int) -> Iterator[QueuedSegment]:
        return (turn for queue in self._ranks[rank].values() for turn in queue)

    def by_account(self, rank: int) -> dict[UUID, list[QueuedSegment]]:
        return {account: list(queue) for account, queue in self._ranks[rank].items()}

    def add(self, turn: QueuedSegment) -> None:
        self._ranks[turn.rank].setdefault(turn.requester.account, deque()).append(turn)

    def remove(self, turn: QueuedSegment) -> bool:
        """False if it is not there."""
        accounts = self._ranks[turn.rank]
        queue = accounts.get(turn.requester.account)
        if queue is None or turn not in queue:
            return False
        queue.remove(turn)
        if not queue:
            del accounts[turn.requester.account]
        return True

    def next(self, rank: int) -> QueuedSegment | None:
        """Takes the next one out."""
        accounts = self._ranks[rank]
        if not accounts:
            return None
        turn = next(iter(accounts.values()))[0]
        self.take(turn)
        return turn

    def take(self, turn: QueuedSegment) -> None:
        """Takes one out that is there. Its account goes to the end: the others come first."""
        self.remove(turn)
        accounts = self._ranks[turn.rank]
        if turn.requester.account in accounts:
            accounts.move_to_end(turn.requester.account)


def before(rank: int, account: UUID, *queues: FairQueue) -> list[QueuedSegment]:
    """Which segments come to a slot before a new one of this account.

    Of the ranks before its own all, except that a live one comes before any made ahead. In its own, as many of each
    other account as it has itself, and one: they take turns.
    """
    found = [turn for earlier in range(rank) for queue in queues for turn in queue.of(earlier)]
    demand: dict[UUID, list[QueuedSegment]] = {}
    for queue in queues:
        for other, turns in queue.by_account(rank).items():
            demand.setdefault(other, []).extend(turns)
    own = demand.pop(account, [])
    return [*found, *own, *(turn for turns in demand.values() for turn in turns[: len(own) + 1])]
