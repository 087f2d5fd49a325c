"""The order in which segments come to a model: by rank, then one account after another, then as they were asked for."""

import asyncio
import math
from collections.abc import Collection, Iterable, Mapping
from typing import Final
from uuid import UUID

import msgspec

from orchestrator.accounts.requester import Requester

NEEDED: Final = 0  # a listener hears nothing until it comes
AHEAD: Final = 1  # a listener will hear it
ASKED: Final = 2  # live, and nobody listens
BATCH: Final = 3
RANKS: Final = (NEEDED, AHEAD, ASKED, BATCH)


class QueuedSegment(msgspec.Struct, eq=False):
    """One segment on its way to a model. Times are those of the loop.

    ``work``: its estimated seconds of speech, which the requester hears at ``tempo``.
    ``response``: the number of its response, in the order of their coming.
    ``until``: when it must have its turn. ``expires``: when it must be made. ``begins``: its response does with it.
    ``listened``: its requester listens and is protected, which it may be after ``unheard_until``. ``needed``: the
    requester waits for this segment now.
    """

    requester: Requester
    work: float
    response: int
    until: float
    expires: float
    begins: bool = False
    listened: bool = False
    unheard_until: float = -math.inf
    needed: bool = False
    tempo: float = 1.0
    came: int = 0  # its number in the order of coming to the model
    called: asyncio.Future[None] | None = None  # set when its turn has come
    limit: asyncio.Timeout | None = None  # of its wait

    @property
    def order(self) -> tuple[int, int]:
        """The order of what one account asks for: a response that began first is completed first."""
        return self.response, self.came


def ranked(segments: Iterable[QueuedSegment]) -> dict[QueuedSegment, int]:
    """Returns the rank of each. ``segments``: all that are on their way.

    Of a listener who waits, the first is needed, whichever it waits for: what was asked for first is heard first.
    """
    ranks = {}
    first: dict[tuple[UUID, UUID | None], QueuedSegment] = {}
    waiting = set()
    for segment in segments:
        requester = segment.requester
        ranks[segment] = BATCH if requester.lane == "batch" else AHEAD if segment.listened else ASKED
        if ranks[segment] == AHEAD:
            listener = requester.account, requester.listener
            if listener not in first or segment.order < first[listener].order:
                first[listener] = segment
            if segment.needed:
                waiting.add(listener)
    return ranks | {first[listener]: NEEDED for listener in waiting}


class Turns:
    """The accounts' turns within one rank."""

    def __init__(self) -> None:
        self._served: dict[UUID, int] = {}  # when each of those that wait was served last

    def take(self, segments: Collection[QueuedSegment], number: int) -> QueuedSegment:
        """Returns the next of those that wait, and sends its account to the end. ``number`` only grows."""
        accounts = by_account(segments)
        self._served = {account: served for account, served in self._served.items() if account in accounts}
        account = min(accounts, key=lambda one: max(self._served.get(one, 0), min(s.came for s in accounts[one])))
        self._served[account] = number
        return min(accounts[account], key=lambda segment: segment.order)


def before(rank: int, account: UUID, ranks: Mapping[QueuedSegment, int]) -> list[QueuedSegment]:
    """Returns which of the segments get a slot before a new one of this account and rank.

    These are all of the earlier ranks, all of the account itself, and of each other account as many and one more, as
    accounts take turns.
    """
    equal = by_account(segment for segment, other in ranks.items() if other == rank)
    own = equal.pop(account, [])
    earlier = [segment for segment, other in ranks.items() if other < rank]
    return [*earlier, *own, *(segment for segments in equal.values() for segment in segments[: len(own) + 1])]


def by_account(segments: Iterable[QueuedSegment]) -> dict[UUID, list[QueuedSegment]]:
    found: dict[UUID, list[QueuedSegment]] = {}
    for segment in segments:
        found.setdefault(segment.requester.account, []).append(segment)
    return found
