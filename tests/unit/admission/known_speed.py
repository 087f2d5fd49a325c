"""A model whose speed is known, and those who use it: they ask, listen and read, on the clock of a virtual loop."""

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from lectern_contract import Lane
from orchestrator.accounts.requester import Requester
from orchestrator.lib.errors.problems import Busy
from orchestrator.speech.admission.admission_controller import AdmissionController, Ticket
from orchestrator.speech.admission.fair_queue import AHEAD, ASKED
from orchestrator.speech.settings import AdmissionSettings
from tests.unit.admission.simulation import MODEL, Encoder, live

AHEAD_OF_STREAM = 2  # segments that a response has made ahead of the one that is sent


def now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(eq=False)
class Job:
    left: float
    lane: Lane
    done: asyncio.Event = field(default_factory=asyncio.Event)


class KnownModel:
    """Makes ``speed`` seconds of speech in a second, shared by all that are live, or else by the batch."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._jobs: set[Job] = set()
        self._changed = asyncio.Event()

    async def speak(self, work: float, lane: Lane) -> None:
        job = Job(work, lane)
        self._jobs.add(job)
        self._changed.set()
        try:
            await job.done.wait()
        finally:
            self._jobs.discard(job)
            self._changed.set()

    async def work(self) -> None:
        while True:
            active = [job for job in self._jobs if job.lane == "live"] or list(self._jobs)
            self._changed.clear()
            each = self.speed / max(1, len(active))
            began = now()
            try:
                async with asyncio.timeout(min((job.left / each for job in active), default=math.inf)):
                    await self._changed.wait()
            except TimeoutError:
                pass
            for job in active:
                job.left -= (now() - began) * each
                if job.left < 1e-6:
                    self._jobs.discard(job)
                    job.done.set()


@dataclass(eq=False)
class Asked:
    """What became of one request. ``expected``: the seconds until its turn that were foreseen."""

    requester: Requester
    number: int
    came: float
    expected: float = 0.0
    entered: float | None = None
    order: int | None = None  # of entering
    ended: float | None = None
    refused: float | None = None
    retry_after: int | None = None
    at_once: bool = False


class Scene:
    def __init__(self, speed: float, slots: int, **settings: Any) -> None:
        self.slots = slots
        self.model = KnownModel(speed)
        self.settings = AdmissionSettings(**settings)
        self.controller = AdmissionController(
            self.settings, deadline=1_000.0, slots=lambda _: slots, encoder=Encoder(), clock=now
        )
        self.queue = self.controller._model_queue(MODEL)
        self.asked: list[Asked] = []
        self.underruns: list[float] = []
        self.overtaken = 0  # segments of listeners that waited when a request got a slot
        self._entries = count()
        self._coming = count()

    @contextmanager
    def running(self) -> Iterator[None]:
        task = asyncio.create_task(self.model.work())
        try:
            yield
        finally:
            task.cancel()

    async def warm_up(self) -> None:
        """Has the speed measured."""
        for _ in range(3):
            await self.speak(self.controller.expect(MODEL, live("somebody"), 5.0), 5.0)

    async def ask(self, requester: Requester, work: float) -> Asked:
        """One request of one segment."""
        found = Asked(requester, next(self._coming), now())
        self.asked.append(found)
        ticket = None
        try:
            segment = self.controller._first(MODEL, requester, work, 10**9)
            rank = self.queue.rank(segment)
            found.expected = self.queue.turn(rank, requester.account, self.controller._speed(MODEL, rank))
            found.at_once = True
            ticket = self.controller.admit(MODEL, requester, work)
            found.at_once = False
            async with ticket.slot():
                found.entered, found.order = now(), next(self._entries)
                self._watch(ticket)
                await self.model.speak(work, ticket.lane)
                found.ended = now()
        except Busy as busy:
            found.refused, found.retry_after = now(), busy.retry_after
        finally:
            if ticket is not None:
                ticket.drop()
        return found

    async def speak(self, ticket: Ticket, work: float) -> None:
        try:
            async with ticket.slot():
                await self.model.speak(work, ticket.lane)
        finally:
            ticket.drop()

    async def listen(self, requester: Requester, works: list[float]) -> None:
        """Plays a stream at the speed of speech, as it comes; a segment is heard once all of it is made."""
        response = self.controller.new_response()
        tasks: list[asyncio.Task[None]] = []
        tickets: list[Ticket] = []
        heard_until: float | None = None
        try:
            for index, work in enumerate(works):
                while len(tasks) < min(len(works), index + 1 + AHEAD_OF_STREAM):
                    size = works[len(tasks)]
                    tickets.append(
                        self.controller.admit(MODEL, requester, size, response)
                        if not tasks
                        else self.controller.expect(MODEL, requester, size, response)
                    )
                    tasks.append(asyncio.create_task(self.speak(tickets[-1], size)))
                tickets[index].promote(requester, needed=True)
                await tasks[index]
                if heard_until is not None and now() > heard_until + 1e-6:
                    self.underruns.append(now() - heard_until)
                heard_until = max(heard_until or 0.0, now()) + work
                await asyncio.sleep(max(0.0, heard_until - now() - 2.0))  # it has two seconds in store
        finally:
            for task in tasks:
                task.cancel()

    def _watch(self, ticket: Ticket) -> None:
        ranks = self.queue._ranks()
        if ranks[ticket.segment] >= ASKED:
            self.overtaken += sum(ranks[one] <= AHEAD for one in self.queue._waiting)
