"""Who listens at a model: they ask again and again, so that how many they are tells what will be asked of it."""

from collections import Counter
from typing import Final
from uuid import UUID

import msgspec

from orchestrator.speech.admission.fair_queue import Requester

# Seconds without asking, beyond those that the last segment lasts, after which a listener counts as gone. An
# application that keeps a store asks later than its listener hears.
_GRACE: Final = 20.0
# Whoever asks again so many seconds after they came has stayed. Before that they may only have looked at a document.
_STAYING: Final = 5.0
_SEVERAL: Final = 120.0  # seconds for which it is remembered that somebody was put out, or came back
_READER: Final = 2  # with fewer listeners who stay, an account is a person who reads, and not a service with users

_Who = tuple[UUID, UUID]


class _Listener(msgspec.Struct):
    came_at: float
    gone_at: float
    stays: bool = False


class ActiveListeners:
    def __init__(self) -> None:
        self._known: dict[_Who, _Listener] = {}  # in the order of their coming
        self._put_out: dict[_Who, float] = {}  # those that were only looked at, and when this is forgotten
        self._returns: list[tuple[UUID, float]] = []  # of such, and when that is forgotten

    def heard(self, requester: Requester, work: float, now: float) -> None:
        """Something that lasts ``work`` seconds is made for the requester."""
        if requester.listener is None or requester.lane != "live":
            return
        gone_at = now + work + _GRACE
        known = self._known.setdefault((requester.account, requester.listener), _Listener(now, gone_at))
        known.gone_at = max(known.gone_at, gone_at)
        known.stays = known.stays or now - known.came_at >= _STAYING

    def knows(self, requester: Requester, now: float) -> bool:
        self._forget(now)
        return requester.listener is not None and (requester.account, requester.listener) in self._known

    def count(self, now: float) -> int:
        self._forget(now)
        return len(self._known)

    def make_room(self, requester: Requester, now: float) -> bool:
        """Whether somebody makes room for the requester.

        For a person who leafs through documents, those that they only looked at; else, of the account with most
        listeners, the one who came last, for an account that will still have fewer then.
        """
        own = {who: known for who, known in self._known.items() if who[0] == requester.account}
        looked_at = [who for who, known in own.items() if not known.stays]
        if looked_at and len(own) - len(looked_at) < _READER and self._leafs(requester, now):
            for who in looked_at:
                del self._known[who]
                self._put_out[who] = now + _SEVERAL
            return True
        counts = Counter(account for account, _ in self._known)
        most, number = max(counts.items(), key=lambda item: item[1], default=(requester.account, 0))
        if number < counts[requester.account] + 2:
            return False
        del self._known[next(who for who in reversed(self._known) if who[0] == most)]
        return True

    def _leafs(self, requester: Requester, now: float) -> bool:
        """A person goes back once in a while; where one after the other comes back, they are several who listen."""
        if requester.listener is not None and self._put_out.pop((requester.account, requester.listener), 0.0) > now:
            self._returns.append((requester.account, now + _SEVERAL))
        return sum(account == requester.account for account, _ in self._returns) < _READER

    def first_to_go(self, now: float) -> float:
        """Seconds after which one of them is gone, should it not ask again."""
        return min((known.gone_at - now for known in self._known.values()), default=0.0)

    def _forget(self, now: float) -> None:
        for who in [who for who, known in self._known.items() if known.gone_at <= now]:
            del self._known[who]
        self._put_out = {who: at for who, at in self._put_out.items() if at > now}
        self._returns = [(account, at) for account, at in self._returns if at > now]
