"""Who may use a model now: a few segments at a time, live before batch, one account after another.

A model that is given all work at once makes everybody wait. So what exceeds its slots waits here, where it can be
counted, and a request that would have to wait too long is not let in: it is refused, or waits before the gate until
there is room. Whoever has begun to listen is heard to the end before others begin: one who is refused can come again,
one who is cut off has lost the thread.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, NamedTuple

import lectern_contract as contract
from orchestrator.lib import metrics
from orchestrator.lib.errors.problems import Busy
from orchestrator.speech.admission.capacity import Capacity, Encoding
from orchestrator.speech.admission.fair_queue import QueuedSegment, Requester
from orchestrator.speech.admission.model_queue import Clock, ModelQueue
from orchestrator.speech.admission.request_queue import RequestQueue
from orchestrator.speech.settings import AdmissionSettings

__all__ = ["AdmissionController", "Requester", "Ticket"]

_LONGEST_RETRY: Final = 600.0  # seconds; what is further away nobody can foresee


class AdmissionController:
    """One process's share of every model."""

    def __init__(
        self,
        settings: AdmissionSettings,
        *,
        deadline: float,
        slots: Callable[[str], int],
        encoder: Encoding,
        clock: Clock = time.monotonic,
    ) -> None:
        """``deadline``: seconds that a live segment may take, its wait included. ``slots``: of a model, by name.

        ``encoder``: what this process itself does for every listener, whatever the models do.
        """
        self._settings = settings
        self._deadline = deadline
        self._slots = slots
        self._clock = clock
        self._lines: dict[str, ModelQueue] = {}
        self._arrivals: dict[str, RequestQueue] = {}
        self._room = Capacity(settings, encoder)

    @property
    def lets_wait(self) -> bool:
        """Whether a request may wait to be let in."""
        return self._settings.admission_wait > 0

    def admit(self, model: str, requester: Requester, work: float) -> "Ticket":
        """Lets a response begin, whose first segment lasts ``work`` seconds.

        Raises `Busy` at once, with the time after which to come again.
        """
        obstacle = self._obstacle(model, requester)
        if obstacle is not None:
            raise _refusal(model, requester, obstacle.wait)
        return self._pass(model, self._let_in(model, self._turn(requester, work, needed=True)))

    def admit_without_waiting(self, model: str, requester: Requester, work: float, *, in_turn: bool) -> "Ticket | None":
        """None if there is no room now. ``in_turn``: nor is there any for one who would overtake others that wait."""
        turn = self._turn(requester, work, needed=True)
        if in_turn and any(other.rank == turn.rank for other in self._waiting_for(model)):
            return None
        return None if self._obstacle(model, requester) else self._pass(model, self._let_in(model, turn))

    async def admit_in_turn(self, model: str, requester: Requester, work: float) -> "Ticket":
        """Waits until there is room. Raises `Busy` when that takes too long, or at once where too many wait already."""
        until = asyncio.get_running_loop().time() + self._settings.admission_wait
        arrivals = self._waiting_for(model)
        turn = self._turn(requester, work, needed=True)
        turn.until = until
        admitted = False
        if not _has_share(arrivals, requester, self._settings.admission_queue):
            with metrics.REQUESTS_WAITING.labels(model, requester.lane).track_inprogress():
                admitted = await arrivals.wait(turn)
        if not admitted:
            obstacle = self._obstacle(model, requester)
            raise _refusal(model, requester, 0.0 if obstacle is None else obstacle.wait)
        return self._pass(model, turn, patient_until=until)

    def expect(self, model: str, requester: Requester, work: float) -> "Ticket":
        """For a later segment of a response that was admitted: it waits its turn, as the response has begun."""
        turn = self._turn(requester, work, needed=False)
        self._line(model).expect(turn)
        return self._pass(model, turn, patient_until=math.inf)

    def _turn(self, requester: Requester, work: float, *, needed: bool) -> QueuedSegment:
        needed = needed and requester.lane == "live"
        # Whoever waits in silence must soon know; what is made ahead has the time until its listener comes to it.
        seconds = self._deadline + (0 if needed else self._settings.batch_wait)
        return QueuedSegment(requester, work, needed, asyncio.get_running_loop().time() + seconds)

    def _let_in(self, model: str, turn: QueuedSegment) -> QueuedSegment:
        self._room.of(model).heard(
            turn.requester, turn.work, self._clock()
        )  # at once: others may come in the same moment
        self._line(model).expect(turn)
        return turn

    def _pass(self, model: str, turn: QueuedSegment, *, patient_until: float = -math.inf) -> "Ticket":
        listens = partial(self._room.of(model).heard, turn.requester, turn.work)
        return Ticket(self._line(model), turn, self._deadline, lambda: listens(self._clock()), patient_until)

    def _try_to_let_in(self, model: str, turn: QueuedSegment) -> float | None:
        """As `RequestQueue` would know it."""
        obstacle = self._obstacle(model, turn.requester)
        if obstacle is not None:
            return obstacle.wait if obstacle.passes else math.inf
        turn.until = self._turn(turn.requester, turn.work, needed=True).until
        self._let_in(model, turn)
        return None

    def _obstacle(self, model: str, requester: Requester) -> "_Obstacle | None":
        """What keeps a newcomer out, if anything does."""
        line = self._line(model)
        longest = self._settings.live_wait if requester.lane == "live" else self._settings.batch_wait
        if self._listens(model, requester):
            longest = max(longest, self._settings.listener_wait)
        wait = line.expected_wait(requester)
        bound = self._settings.live_queue if requester.lane == "live" else self._settings.batch_queue
        if _has_share(line.demand(requester.lane), requester, bound) or wait > longest:
            return _Obstacle(wait - longest, passes=False)
        crowded = self._room.wait(model, line, requester, self._clock())
        return None if crowded is None else _Obstacle(crowded, passes=True)

    def _listens(self, model: str, requester: Requester) -> bool:
        return self._room.of(model).knows(requester, self._clock())

    def _line(self, model: str) -> ModelQueue:
        if model not in self._lines:
            look = partial(self._look, model)
            self._lines[model] = ModelQueue(model, lambda: self._slots(model), self._clock, on_change=look)
        return self._lines[model]

    def _waiting_for(self, model: str) -> RequestQueue:
        if model not in self._arrivals:
            self._arrivals[model] = RequestQueue(partial(self._try_to_let_in, model), self._line(model).forget)
        return self._arrivals[model]

    def _look(self, model: str) -> None:
        if model in self._arrivals:
            self._arrivals[model].look()


class _Obstacle(NamedTuple):
    """``wait``: seconds after which to come again. ``passes``: with time, whatever else happens or does not."""

    wait: float
    passes: bool


def _has_share(turns: Iterable[QueuedSegment], requester: Requester, bound: int) -> bool:
    """Whether the account has as many of them as it may: all that there may be, or its part if others have some."""
    accounts = Counter(turn.requester.account for turn in turns)
    own = accounts[requester.account]
    return own >= max(1, bound // len({requester.account, *accounts}))


class Ticket:
    """One segment's way through the gate."""

    def __init__(
        self, line: ModelQueue, turn: QueuedSegment, deadline: float, on_slot: Callable[[], None], patient_until: float
    ) -> None:
        self._line = line
        self._turn = turn
        self._deadline = deadline
        self._on_slot = on_slot
        self.patient_until = patient_until
        """Loop time until which a busy model is asked again: part of a response had better come late than never."""

    @property
    def lane(self) -> contract.Lane:
        return self._turn.requester.lane

    @property
    def left(self) -> float:
        """Seconds that are left for making it."""
        return min(self._deadline, self._turn.until - asyncio.get_running_loop().time())

    def promote(self, requester: Requester, *, needed: bool) -> None:
        """The requester wants it too, or has come to it."""
        until = asyncio.get_running_loop().time() + self._deadline
        self._line.promote(self._turn, requester, needed=needed, until=until)

    def drop(self) -> None:
        """It needs no slot."""
        self._line.forget(self._turn)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Waits for a slot at the model, and keeps it until the end of the block. Raises `Busy` at its deadline."""
        async with self._line.slot(self._turn):
            self._on_slot()
            yield


def _refusal(model: str, requester: Requester, wait: float) -> Busy:
    metrics.REFUSED.labels(model, requester.lane).inc()
    return Busy(
        f"The model '{model}' has as much to do as it can take. Try again after the time that the Retry-After header"
        " says.",
        retry_after=math.ceil(min(max(1.0, wait), _LONGEST_RETRY)),
    )
