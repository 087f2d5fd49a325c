"""Who listens, and for how many more there is room: as many as a model keeps up with, and this process can encode for.

A listener asks again and again, so their number tells what will be asked of a model.
"""

import time
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from orchestrator.accounts.requester import Requester
from orchestrator.speech.settings import AdmissionSettings

# Seconds without a request, beyond the duration of the last segment, after which a listener counts as gone. An
# application that stores some audio asks later than its listener hears.
_GRACE: Final = 20.0
_AHEAD: Final = 60.0  # seconds of audio that a listener may have in store; whoever takes more does not listen to it yet


class Encoding(Protocol):
    """What admission asks of `PriorityThreads`."""

    @property
    def throughput(self) -> float: ...

    def lateness(self) -> float: ...


class _Listener(NamedTuple):
    gone_at: float
    tempo: float  # seconds of a model's speech that it hears in a second


class Listeners:
    def __init__(self, settings: AdmissionSettings, encoder: Encoding) -> None:
        self._settings = settings
        self._encoder = encoder
        self._by_model: dict[str, dict[tuple[UUID, UUID], _Listener]] = {}  # by account and listener

    def have_room(
        self, model: str, requester: Requester, tempo: float, now: float, *, slots: int, throughput: float
    ) -> bool:
        """Returns whether the requester listens already, or may.

        ``throughput``: seconds of speech that the model makes in a second; with all slots in use it may be more.
        """
        if requester.listener is None or requester.lane == "batch":
            return False
        present = self._present(model, now)
        if (requester.account, requester.listener) in present:
            return True
        taken = sum(self._share(one.tempo) for one in present.values())
        keeps_up = taken + self._share(tempo) <= throughput / self._settings.listener_pace
        return (len(present) + 1 <= slots or keeps_up) and self.encoder_has_room(now)

    def _share(self, tempo: float) -> float:
        """Returns for how many listeners one counts: whoever hears fast uses up more of what a model makes."""
        return max(1.0, tempo / self._settings.listener_pace)

    def encoder_has_room(self, now: float) -> bool:
        """Returns whether audio can be encoded for one more listener."""
        if self._encoder.lateness() > self._settings.encoder_wait:
            return False
        count = sum(self.count(model, now) for model in self._by_model)
        bound = self._encoder.throughput * self._settings.encoder_share / self._settings.listener_pace
        return count + 1 <= max(1.0, bound)

    def note(self, model: str, requester: Requester, work: float, tempo: float, now: float) -> None:
        """A segment of ``work`` seconds is made for one who listens at ``tempo``."""
        if requester.listener is not None:
            listeners = self._present(model, now)
            listener = requester.account, requester.listener
            before = listeners.get(listener, _Listener(0.0, tempo))
            listeners[listener] = _Listener(max(before.gone_at, now + work / tempo + _GRACE), tempo)

    def count(self, model: str, now: float) -> int:
        return len(self._present(model, now))

    def hearing(self, model: str, now: float) -> float:
        """Returns the seconds of a model's speech that all together hear in a second."""
        return sum(one.tempo for one in self._present(model, now).values())

    def next_to_go(self, now: float) -> float:
        """Returns the seconds after which the first of all is gone, unless it asks again."""
        gone = [one.gone_at - now for model in self._by_model for one in self._present(model, now).values()]
        return min(gone, default=0.0)

    def forget(self, requester: Requester) -> None:
        """The listener has left."""
        for listeners in self._by_model.values():
            if requester.listener is not None:
                listeners.pop((requester.account, requester.listener), None)

    def _present(self, model: str, now: float) -> dict[tuple[UUID, UUID], _Listener]:
        listeners = self._by_model.setdefault(model, {})
        for listener in [listener for listener, one in listeners.items() if one.gone_at <= now]:
            del listeners[listener]
        return listeners


class ListeningPace:
    """Tells whether a response may be heard while it is sent, by how much of it was taken."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: float | None = None
        self._seconds = 0.0

    def take(self, seconds: float) -> None:
        """Counts seconds that the client has taken, as they are heard."""
        if self._began is None:
            self._began = self._clock()
        self._seconds += seconds

    @property
    def unheard(self) -> float:
        """Seconds for which nobody can be listening to what comes next."""
        return 0.0 if self._began is None else max(0.0, self._seconds - (self._clock() - self._began) - _AHEAD)
