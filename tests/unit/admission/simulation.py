"""Admission with segments that tests bring, cancel and end, step by step and by a clock of their own."""

import asyncio
import math
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from orchestrator.accounts.requester import Requester
from orchestrator.lib.errors.problems import Busy
from orchestrator.speech.admission.admission_controller import AdmissionController, Ticket
from orchestrator.speech.settings import AdmissionSettings

MODEL = "hum"
DEADLINE = 100.0
_NAMES = UUID(int=0)


def account(name: str) -> UUID:
    return uuid5(_NAMES, name)


def live(name: str = "ann", listener: str | None = None) -> Requester:
    return Requester(account=account(name), plan="local", listener=None if listener is None else account(listener))


def batch(name: str = "ann") -> Requester:
    return Requester(account=account(name), plan="local", lane="batch")


@dataclass(eq=False)
class Segment:
    """One with its ticket. ``entered`` is the number of its slot in the order of entering.

    ``refusal``: what was said when its turn did not come in time.
    """

    ticket: Ticket
    requester: Requester
    task: asyncio.Task[None] | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)
    entering: asyncio.Event = field(default_factory=asyncio.Event)
    entered: int | None = None
    refusal: Busy | None = None

    @property
    def is_in(self) -> bool:
        return self.entered is not None and self.task is not None and not self.task.done()

    @property
    def is_over(self) -> bool:
        return self.task is not None and self.task.done()


@dataclass
class Encoder:
    throughput: float = math.inf
    late: float = 0.0

    def lateness(self) -> float:
        return self.late


class Simulation:
    def __init__(self, slots: int = 2, **settings: Any) -> None:
        self.now = 0.0
        self.slots = slots
        self.encoder = Encoder()
        self.controller = AdmissionController(
            AdmissionSettings(**settings),
            deadline=DEADLINE,
            slots=lambda _: self.slots,
            encoder=self.encoder,
            clock=lambda: self.now,
        )
        self.queue = self.controller._model_queue(MODEL)
        self.entries = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def ask(self, requester: Requester, work: float = 10.0, *, model: str = MODEL) -> Segment:
        """A segment that a response begins with; it has gone as far as it can. Raises what admission raises."""
        return await self.walk(Segment(self.controller.admit(model, requester, work), requester))

    async def bring(
        self, requester: Requester, work: float = 10.0, *, needed: bool = False, after: Segment | None = None
    ) -> Segment:
        """A later segment of a response, which may be that of another one."""
        response = None if after is None else after.ticket.segment.response
        segment = Segment(self.controller.expect(MODEL, requester, work, response), requester)
        if needed:
            segment.ticket.promote(requester, needed=True)
        return await self.walk(segment)

    async def walk(self, segment: Segment) -> Segment:
        self.start(segment)
        await settle()
        return segment

    def start(self, segment: Segment) -> None:
        segment.task = asyncio.create_task(self._pass(segment))
        self._tasks.append(segment.task)

    async def clear(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def end(self, segment: Segment, after: float = 0.0) -> None:
        """It is spoken, so many seconds from now."""
        self.now += after
        segment.done.set()
        await settle()

    async def cancel(self, segment: Segment) -> None:
        assert segment.task is not None
        segment.task.cancel()
        await settle()

    async def _pass(self, segment: Segment) -> None:
        try:
            async with segment.ticket.slot():
                segment.entered = self.entries
                self.entries += 1
                segment.entering.set()
                await segment.done.wait()
        except Busy as refusal:
            segment.refusal = refusal
        finally:
            segment.ticket.drop()


async def settle() -> None:
    """Lets every task go on until all of them wait."""
    for _ in range(5):
        await asyncio.sleep(0)
