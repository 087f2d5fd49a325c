"""Who may use a model now, by promise: who listens is protected, and who merely asks waits.

1. A model makes a few segments at a time, one in each slot, and whatever exceeds them waits here in one queue.
2. What a listener hears next goes first, then what is made ahead for listeners, then requests that nobody listens to,
   then batch; no rank takes any heed of those behind it, and none leaves a slot empty.
3. Within a rank, accounts take turns, and what one account asks for comes in the order in which it was asked for.
4. A listener is somebody who asks for one thing again and again, as fast as it is heard: there are as many as the model
   and the encoder keep up with, and whoever is one too many merely asks.
5. A request is promised its turn within `LECTERN_ADMISSION_WAIT`, or is refused at once if the work before it takes the
   model longer, with the time after which it would not; a response that has begun is completed.
"""

import asyncio
import math
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import Final

from lectern_contract import Lane
from orchestrator.accounts.requester import Requester
from orchestrator.lib.errors.problems import Busy
from orchestrator.speech.admission.fair_queue import ASKED, QueuedSegment
from orchestrator.speech.admission.listeners import Encoding, Listeners
from orchestrator.speech.admission.model_queue import Clock, ModelQueue
from orchestrator.speech.admission.refusals import Refusals
from orchestrator.speech.settings import AdmissionSettings

_LEFT: Final = 0.25  # share of a model that counts as left by its listeners, if it is less: they have some in store
_SHORTEST_WAIT: Final = 1.0  # seconds, for the way of a request that found room to its slot


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
        self._refusals: dict[str, Refusals] = {}
        self._listeners = Listeners(settings, encoder)
        self._numbers = count(1)

    def new_response(self) -> int:
        """Returns the number of a response, by which its segments keep their place in the order."""
        return next(self._numbers)

    def admits(self, model: str, requester: Requester, work: float, tempo: float = 1.0) -> bool:
        """Returns whether `admit` would."""
        return self._obstacle(model, self._first(model, requester, work, sys.maxsize, tempo)) is None

    def admit(
        self, model: str, requester: Requester, work: float, response: int | None = None, *, tempo: float = 1.0
    ) -> "Ticket":
        """Admits a response whose first segment takes ``work`` seconds of the model's speech, heard at ``tempo``.

        Raises `Busy` at once, with the time after which to come again, if its turn would come too late.
        """
        segment = self._first(model, requester, work, response or self.new_response(), tempo)
        wait = self._obstacle(model, segment)
        if wait is not None:
            raise self._refuse(model, segment, wait)
        return self._ticket(model, segment)

    def expect(
        self,
        model: str,
        requester: Requester,
        work: float,
        response: int | None = None,
        *,
        tempo: float = 1.0,
        unheard: float = 0.0,
    ) -> "Ticket":
        """For a later segment of a response that was admitted: it waits its turn, as the response has begun.

        ``unheard``: seconds for which nobody can be listening to it.
        """
        now = asyncio.get_running_loop().time()
        until = now + self._deadline + self._settings.batch_wait
        segment = QueuedSegment(requester, work, response or self.new_response(), until, until, tempo=tempo)
        segment.unheard_until = now + unheard
        segment.listened = self._is_protected(model, requester, tempo, segment.unheard_until)
        return self._ticket(model, segment)

    def forget_listener(self, requester: Requester) -> None:
        """Gives the room of a listener who has left to others at once."""
        self._listeners.forget(requester)
        for queue in self._model_queues.values():
            queue.check()

    def lane_at_model(self, model: str, segment: QueuedSegment) -> Lane:
        """Returns "batch" also for a live request that nobody listens to, while others listen."""
        behind = not segment.listened and self._listeners.count(model, self._clock()) > 0
        return "batch" if behind else segment.requester.lane

    def promote(
        self, model: str, segment: QueuedSegment, requester: Requester, *, needed: bool, tempo: float = 1.0
    ) -> None:
        """Another requester wants the segment too, or it is wanted sooner: it takes the better lane and account."""
        if requester.lane == "batch":
            return
        same = requester.listener == segment.requester.listener
        unheard_until = segment.unheard_until if same else -math.inf
        listens = not segment.listened and self._is_protected(model, requester, tempo, unheard_until)
        if segment.requester.lane == "batch" or listens:
            segment.requester, segment.tempo, segment.listened = requester, tempo, segment.listened or listens
        if needed and not segment.needed:
            segment.needed = True
            segment.until = min(segment.until, asyncio.get_running_loop().time() + self._deadline)
            segment.expires = min(segment.expires, asyncio.get_running_loop().time() + self._deadline)
            if segment.limit is not None:
                segment.limit.reschedule(segment.until)
        self._model_queue(model).check()

    def too_late(self, model: str, segment: QueuedSegment) -> Busy:
        """Returns what is told about a segment whose turn did not come in time."""
        wait = self._obstacle(model, segment) or 0.0
        if not self._may_begin(model, segment):
            wait = max(wait, self._listeners.next_to_go(self._clock()))
        return self._refuse(model, segment, wait)

    def note(self, model: str, segment: QueuedSegment) -> None:
        """Counts the listener, if it is one: a segment is made for it."""
        if segment.listened:
            self._listeners.note(model, segment.requester, segment.work, segment.tempo, self._clock())

    def _first(self, model: str, requester: Requester, work: float, response: int, tempo: float = 1.0) -> QueuedSegment:
        batch = requester.lane == "batch"
        now = asyncio.get_running_loop().time()
        expires = now + self._deadline + (self._settings.batch_wait if batch else 0)
        until = expires if batch else min(expires, now + max(_SHORTEST_WAIT, self._settings.admission_wait))
        segment = QueuedSegment(requester, work, response, until, expires, begins=True, needed=not batch, tempo=tempo)
        segment.listened = self._is_protected(model, requester, tempo)
        if segment.listened:  # what it has asked for already, it hears first
            earlier = self._model_queue(model).work_for(requester)
            segment.until, segment.expires = until + earlier, expires + earlier
        return segment

    def _obstacle(self, model: str, segment: QueuedSegment) -> float | None:
        """Returns the seconds after which to come again; None if the segment's turn will come in time."""
        queue, requester = self._model_queue(model), segment.requester
        if queue.has_empty_slot:
            return None
        batch = requester.lane == "batch"
        longest = self._settings.batch_wait if batch else self._settings.admission_wait
        if segment.listened:
            longest += queue.work_for(requester)
        rank = queue.rank(segment)
        wait = queue.turn(rank, requester.account, self._speed(model, rank))
        if wait > longest:
            return wait - longest
        bound = self._settings.batch_queue if batch else self._settings.admission_queue
        if wait > 0 and queue.has_share(segment, bound):
            return wait / bound
        return None

    def _speed(self, model: str, rank: int) -> float:
        """Returns the seconds of speech that are made in a second for this rank and those before it.

        What others listen to comes first and goes on: they hear a second in a second, at their tempo.
        """
        queue = self._model_queue(model)
        if rank < ASKED or not queue.is_measured:
            return queue.throughput
        return max(queue.throughput - self._listeners.hearing(model, self._clock()), queue.throughput * _LEFT)

    def _refuse(self, model: str, segment: QueuedSegment, wait: float) -> Busy:
        if model not in self._refusals:
            self._refusals[model] = Refusals(model, self._settings.admission_queue)
        speed = self._speed(model, self._model_queue(model).rank(segment))
        return self._refusals[model].refuse(segment, self._clock(), wait=wait, speed=speed)

    def _is_protected(self, model: str, requester: Requester, tempo: float, unheard_until: float = -math.inf) -> bool:
        if asyncio.get_running_loop().time() < unheard_until:
            return False
        queue, now = self._model_queue(model), self._clock()
        return self._listeners.have_room(model, requester, tempo, now, slots=queue.slots, throughput=queue.throughput)

    def _may_begin(self, model: str, segment: QueuedSegment) -> bool:
        """For `ModelQueue`. Nobody begins to listen whom this process cannot encode for."""
        requester = segment.requester
        if segment.listened or requester.listener is None or requester.lane == "batch":
            return True
        segment.listened = self._is_protected(model, requester, segment.tempo, segment.unheard_until)
        self.note(model, segment)
        return segment.listened or not segment.begins or self._listeners.encoder_has_room(self._clock())

    def _ticket(self, model: str, segment: QueuedSegment) -> "Ticket":
        self.note(model, segment)  # at once, as others may come in the same moment
        self._model_queue(model).expect(segment)
        return Ticket(self, model, self._model_queue(model), segment, self._deadline)

    def _model_queue(self, model: str) -> ModelQueue:
        if model not in self._model_queues:
            may_begin = partial(self._may_begin, model)
            self._model_queues[model] = ModelQueue(model, lambda: self._slots(model), self._clock, may_begin)
        return self._model_queues[model]


class Ticket:
    """The admission of one segment, until it has had its slot or is dropped."""

    def __init__(
        self,
        controller: AdmissionController,
        model: str,
        queue: ModelQueue,
        segment: QueuedSegment,
        deadline: float,
    ) -> None:
        self._controller = controller
        self._model = model
        self._queue = queue
        self.segment = segment
        self._deadline = deadline

    @property
    def lane(self) -> Lane:
        """The lane in which to ask the model."""
        return self._controller.lane_at_model(self._model, self.segment)

    @property
    def left(self) -> float:
        """Seconds that are left for the synthesis."""
        return min(self._deadline, self.segment.expires - asyncio.get_running_loop().time())

    @property
    def patience(self) -> float:
        """Seconds within which a model that is busy with the work of others may be asked again."""
        return self.segment.until - asyncio.get_running_loop().time()

    def promote(self, requester: Requester, tempo: float = 1.0, *, needed: bool) -> None:
        """The requester has come to the segment, or wants it too."""
        self._controller.promote(self._model, self.segment, requester, needed=needed, tempo=tempo)

    def join(self, requester: Requester, other: "Ticket") -> None:
        """Another requester wants the segment too, and needs its own ticket no more."""
        self.segment.until = max(self.segment.until, other.segment.until)
        self.segment.expires = max(self.segment.expires, other.segment.expires)
        if self.segment.limit is not None:
            self.segment.limit.reschedule(self.segment.until)
        self.promote(requester, other.segment.tempo, needed=False)
        other.drop()

    def drop(self) -> None:
        """The segment needs no slot."""
        self._queue.forget(self.segment)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Waits for a slot at the model, and keeps it until the end of the block. Raises `Busy` at its deadline."""
        if not await self._queue.wait(self.segment):
            raise self._controller.too_late(self._model, self.segment)
        with self._queue.kept(self.segment):
            self._controller.note(self._model, self.segment)
            yield
