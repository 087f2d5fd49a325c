"""Who may use a model now: a few segments at a time, live before batch, one account after another.

A model that is given all work at once makes everybody wait. So what exceeds its places waits here, where it can be
counted, and a request that would have to wait too long is refused before it waits at all. Whoever has begun to listen
is heard to the end before others begin: one who is refused can come again, one who is cut off has lost the thread.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from lectern import contract
from orchestrator.lib import metrics
from orchestrator.lib.errors import Busy
from orchestrator.settings import AdmissionSettings
from orchestrator.speech.making.line import Clock, Line
from orchestrator.speech.making.room import Encoding, Room
from orchestrator.speech.making.turns import Asker, Turn

__all__ = ["Asker", "Gate", "Pass"]

_LONGEST_RETRY: Final = 600.0  # seconds; what is further away nobody can foresee


class Gate:
    """One process's share of every model."""

    def __init__(
        self,
        settings: AdmissionSettings,
        *,
        deadline: float,
        places: Callable[[str], int],
        encoder: Encoding,
        clock: Clock = time.monotonic,
    ) -> None:
        """``deadline``: seconds that a live segment may take, its wait included. ``places``: of a model, by name.

        ``encoder``: what this process itself does for every listener, whatever the models do.
        """
        self._settings = settings
        self._deadline = deadline
        self._places = places
        self._clock = clock
        self._lines: dict[str, Line] = {}
        self._room = Room(settings, encoder)

    def admit(self, model: str, asker: Asker, work: float) -> "Pass":
        """Lets a response begin, whose first segment lasts ``work`` seconds.

        Raises `Busy` at once, with the time after which to come again.
        """
        line = self._line(model)
        longest = self._settings.live_wait if asker.lane == "live" else self._settings.batch_wait
        if self._listens(model, asker):
            longest = max(longest, self._settings.listener_wait)
        wait = line.expected_wait(asker)
        if self._has_its_share(line, asker) or wait > longest:
            raise _refusal(model, asker, wait - longest)
        crowded = self._room.wait(model, line, asker, self._clock())
        if crowded is not None:
            raise _refusal(model, asker, crowded)
        self._room.of(model).heard(asker, work, self._clock())  # at once: others may come in the same moment
        return self._pass(model, asker, work, needed=True, patient=False)

    def expect(self, model: str, asker: Asker, work: float) -> "Pass":
        """For a later segment of a response that was admitted: it waits its turn, as the response has begun."""
        return self._pass(model, asker, work, needed=False, patient=True)

    def _pass(self, model: str, asker: Asker, work: float, *, needed: bool, patient: bool) -> "Pass":
        needed = needed and asker.lane == "live"
        # Whoever waits in silence must soon know; what is made ahead has the time until its listener comes to it.
        seconds = self._deadline + (0 if needed else self._settings.batch_wait)
        turn = Turn(asker, work, needed, asyncio.get_running_loop().time() + seconds)
        line = self._line(model)
        line.expect(turn)
        listens = partial(self._room.of(model).heard, asker, work)
        return Pass(line, turn, self._deadline, lambda: listens(self._clock()), patient=patient)

    def _listens(self, model: str, asker: Asker) -> bool:
        return self._room.of(model).knows(asker, self._clock())

    def _has_its_share(self, line: Line, asker: Asker) -> bool:
        """Whether the account has as much in the lane as it may: the whole of it, or its part if others wait too."""
        bound = self._settings.live_queue if asker.lane == "live" else self._settings.batch_queue
        demand = line.demand(asker.lane)
        accounts = {asker.account, *(turn.asker.account for turn in demand)}
        own = sum(turn.asker.account == asker.account for turn in demand)
        return own >= max(1, bound // len(accounts))

    def _line(self, model: str) -> Line:
        if model not in self._lines:
            self._lines[model] = Line(model, lambda: self._places(model), self._clock)
        return self._lines[model]


class Pass:
    """One segment's way through the gate."""

    def __init__(self, line: Line, turn: Turn, deadline: float, on_place: Callable[[], None], *, patient: bool) -> None:
        self._line = line
        self._turn = turn
        self._deadline = deadline
        self._on_place = on_place
        self.patient = patient
        """Whether it is part of a response that has begun, and so had better come late than never."""

    @property
    def lane(self) -> contract.Lane:
        return self._turn.asker.lane

    @property
    def left(self) -> float:
        """Seconds that are left for making it."""
        return min(self._deadline, self._turn.until - asyncio.get_running_loop().time())

    def hurry(self, asker: Asker, *, needed: bool) -> None:
        """The asker wants it too, or has come to it."""
        until = asyncio.get_running_loop().time() + self._deadline
        self._line.hurry(self._turn, asker, needed=needed, until=until)

    def drop(self) -> None:
        """It needs no place."""
        self._line.forget(self._turn)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Waits for a place at the model, and keeps it until the end of the block. Raises `Busy` at its deadline."""
        async with self._line.place(self._turn):
            self._on_place()
            yield


def _refusal(model: str, asker: Asker, wait: float) -> Busy:
    metrics.REFUSED.labels(model, asker.lane).inc()
    return Busy(
        f"The model '{model}' has as much to do as it can take. Try again after the time that the Retry-After header"
        " says.",
        retry_after=math.ceil(min(max(1.0, wait), _LONGEST_RETRY)),
    )
