"""Who may use a model now: a few segments at a time, live before batch, one account after another.

A model that gets all work at once makes everybody wait. So what exceeds its slots waits here, where it can be counted,
and a request whose wait would be too long is not admitted: it is refused, or waits until there is room. A response that
has begun is completed before others begin: a client that is refused can come again, a listener who is cut off has lost
the thread.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, NamedTuple

from lectern_contract import Lane
from orchestrator.accounts.requester import Requester
from orchestrator.lib import metrics
from orchestrator.lib.errors.problems import Busy
from orchestrator.speech.admission.capacity import Capacity, Encoding
from orchestrator.speech.admission.fair_queue import QueuedSegment
from orchestrator.speech.admission.model_queue import Clock, ModelQueue
from orchestrator.speech.admission.request_queue import RequestQueue
from orchestrator.speech.settings import AdmissionSettings

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
        """``deadline``: seconds for a live segment, its wait included. ``slots``: of a model, by its name.

        ``encoder``: the work of this process for every listener, whatever the models do.
        """
        self._settings = settings
        self._deadline = deadline
        self._slots = slots
        self._clock = clock
        self._model_queues: dict[str, ModelQueue] = {}
        self._request_queues: dict[str, RequestQueue] = {}
        self._capacity = Capacity(settings, encoder)

    @property
    def lets_wait(self) -> bool:
        """Whether a request may wait for its admission."""
        return self._settings.admission_wait > 0

    def admit(self, model: str, requester: Requester, work: float) -> "Ticket":
        """Admits a response whose first segment lasts ``work`` seconds.

        Raises `Busy` at once, with the time after which to come again.
        """
        obstacle = self._obstacle(model, requester)
        if obstacle is not None:
            raise _refusal(model, requester, obstacle.wait)
        return self._ticket(model, self._let_in(model, self._segment(requester, work, needed=True)))

    def admit_without_waiting(self, model: str, requester: Requester, work: float, *, in_turn: bool) -> "Ticket | None":
        """Returns None if there is no room now. ``in_turn``: nor if the request would overtake others that wait."""
        segment = self._segment(requester, work, needed=True)
        if in_turn and any(other.rank == segment.rank for other in self._request_queue(model)):
            return None
        return None if self._obstacle(model, requester) else self._ticket(model, self._let_in(model, segment))

    async def admit_in_turn(self, model: str, requester: Requester, work: float) -> "Ticket":
        """Waits until there is room. Raises `Busy` when that takes too long, or at once if too many wait already."""
        until = asyncio.get_running_loop().time() + self._settings.admission_wait
        queue = self._request_queue(model)
        segment = self._segment(requester, work, needed=True)
        segment.until = until
        admitted = False
        if not _has_share(queue, requester, self._settings.admission_queue):
            with metrics.REQUESTS_WAITING.labels(model, requester.lane).track_inprogress():
                admitted = await queue.wait(segment)
        if not admitted:
            obstacle = self._obstacle(model, requester)
            raise _refusal(model, requester, 0.0 if obstacle is None else obstacle.wait)
        return self._ticket(model, segment, patient_until=until)

    def expect(self, model: str, requester: Requester, work: float) -> "Ticket":
        """For a later segment of a response that was admitted: it waits its turn, as the response has begun."""
        segment = self._segment(requester, work, needed=False)
        self._model_queue(model).expect(segment)
        return self._ticket(model, segment, patient_until=math.inf)

    def forget_listener(self, requester: Requester) -> None:
        """Gives the room of a listener who has left to others at once."""
        self._capacity.forget(requester)
        for queue in self._request_queues.values():
            queue.check()

    def _segment(self, requester: Requester, work: float, *, needed: bool) -> QueuedSegment:
        needed = needed and requester.lane == "live"
        # A listener who waits in silence must soon know; what is made ahead has the time until it is heard.
        seconds = self._deadline + (0 if needed else self._settings.batch_wait)
        return QueuedSegment(requester, work, needed, asyncio.get_running_loop().time() + seconds)

    def _let_in(self, model: str, segment: QueuedSegment) -> QueuedSegment:
        # At once, as others may come in the same moment.
        self._capacity.listeners(model).note(segment.requester, segment.work, self._clock())
        self._model_queue(model).expect(segment)
        return segment

    def _ticket(self, model: str, segment: QueuedSegment, *, patient_until: float = -math.inf) -> "Ticket":
        note = partial(self._capacity.listeners(model).note, segment.requester, segment.work)
        return Ticket(self._model_queue(model), segment, self._deadline, lambda: note(self._clock()), patient_until)

    def _try_to_admit(self, model: str, segment: QueuedSegment) -> float | None:
        """For `RequestQueue`."""
        obstacle = self._obstacle(model, segment.requester)
        if obstacle is not None:
            return obstacle.wait if obstacle.passes else math.inf
        segment.until = self._segment(segment.requester, segment.work, needed=True).until
        self._let_in(model, segment)
        return None

    def _obstacle(self, model: str, requester: Requester) -> "_Obstacle | None":
        """Returns what keeps a new request out, if anything does."""
        queue = self._model_queue(model)
        longest = self._settings.live_wait if requester.lane == "live" else self._settings.batch_wait
        if self._capacity.listeners(model).knows(requester, self._clock()):
            longest = max(longest, self._settings.listener_wait)
        wait = queue.expected_wait(requester)
        bound = self._settings.live_queue if requester.lane == "live" else self._settings.batch_queue
        if _has_share(queue.demand(requester.lane), requester, bound) or wait > longest:
            return _Obstacle(wait - longest, passes=False)
        no_room = self._capacity.wait(model, queue, requester, self._clock())
        return None if no_room is None else _Obstacle(no_room, passes=True)

    def _model_queue(self, model: str) -> ModelQueue:
        if model not in self._model_queues:
            on_change = partial(self._check_requests, model)
            self._model_queues[model] = ModelQueue(model, lambda: self._slots(model), self._clock, on_change)
        return self._model_queues[model]

    def _request_queue(self, model: str) -> RequestQueue:
        if model not in self._request_queues:
            give_up = self._model_queue(model).forget
            self._request_queues[model] = RequestQueue(partial(self._try_to_admit, model), give_up)
        return self._request_queues[model]

    def _check_requests(self, model: str) -> None:
        if model in self._request_queues:
            self._request_queues[model].check()


class _Obstacle(NamedTuple):
    """``wait``: seconds after which to come again. ``passes``: with time alone, whatever else happens."""

    wait: float
    passes: bool


def _has_share(segments: Iterable[QueuedSegment], requester: Requester, bound: int) -> bool:
    """Whether the account has as many of them as it may: all ``bound``, or its part of them if others have some."""
    accounts = Counter(segment.requester.account for segment in segments)
    own = accounts[requester.account]
    return own >= max(1, bound // len({requester.account, *accounts}))


class Ticket:
    """The admission of one segment, until it has had its slot or is dropped."""

    def __init__(
        self,
        queue: ModelQueue,
        segment: QueuedSegment,
        deadline: float,
        on_slot: Callable[[], None],
        patient_until: float,
    ) -> None:
        self._queue = queue
        self._segment = segment
        self._deadline = deadline
        self._on_slot = on_slot
        self.patient_until = patient_until
        """Loop time until which a busy model is asked again: a part of a response had better come late than never."""

    @property
    def lane(self) -> Lane:
        return self._segment.requester.lane

    @property
    def left(self) -> float:
        """Seconds that are left for the synthesis."""
        return min(self._deadline, self._segment.until - asyncio.get_running_loop().time())

    def promote(self, requester: Requester, *, needed: bool) -> None:
        """The requester wants the segment too, or has come to it."""
        until = asyncio.get_running_loop().time() + self._deadline
        self._queue.promote(self._segment, requester, needed=needed, until=until)

    def drop(self) -> None:
        """The segment needs no slot."""
        self._queue.forget(self._segment)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Waits for a slot at the model, and keeps it until the end of the block. Raises `Busy` at its deadline."""
        async with self._queue.slot(self._segment):
            self._on_slot()
            yield


def _refusal(model: str, requester: Requester, wait: float) -> Busy:
    metrics.REFUSED.labels(model, requester.lane).inc()
    return Busy(
        f"The model '{model}' has as much to do as it can take. Try again after the time that the Retry-After header"
        " says.",
        retry_after=math.ceil(min(max(1.0, wait), _LONGEST_RETRY)),
    )
