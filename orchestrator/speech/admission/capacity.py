"""The number of listeners that there is room for: as many as a model keeps up with, and this process can encode for.

A listener asks again and again, so their number tells what will be asked of a model.
"""

from typing import Final, Protocol
from uuid import UUID

from orchestrator.accounts.requester import Requester
from orchestrator.speech.admission.model_queue import ModelQueue
from orchestrator.speech.settings import AdmissionSettings

# Seconds without a request, beyond the duration of the last segment, after which a listener counts as gone. An
# application that stores some audio asks later than its listener hears.
_GRACE: Final = 20.0
_LATE_RETRY: Final = 5.0  # seconds, at least, while encoding is late: listeners take a while to fill their buffers


class Encoding(Protocol):
    """What admission asks of `PriorityThreads`."""

    @property
    def throughput(self) -> float: ...

    def lateness(self) -> float: ...


class Capacity:
    def __init__(self, settings: AdmissionSettings, encoder: Encoding) -> None:
        self._settings = settings
        self._encoder = encoder
        self._listeners: dict[str, ActiveListeners] = {}  # by model

    def listeners(self, model: str) -> "ActiveListeners":
        return self._listeners.setdefault(model, ActiveListeners())

    def wait(self, model: str, queue: ModelQueue, requester: Requester, now: float) -> float | None:
        """Returns the seconds until there may be room for a new listener; None if there is."""
        listeners = self.listeners(model)
        if requester.listener is None or requester.lane == "batch" or listeners.knows(requester, now):
            return None
        if self._encoder.lateness() > self._settings.encoder_wait:
            return max(_LATE_RETRY, listeners.next_to_go(now))
        room = max(1.0, min(self._room_at_model(queue), self._room_at_encoder(listeners, now)))
        return None if listeners.count(now) + 1 <= room else listeners.next_to_go(now)

    def forget(self, requester: Requester) -> None:
        """The listener has left."""
        for listeners in self._listeners.values():
            listeners.forget(requester)

    def _room_at_model(self, queue: ModelQueue) -> float:
        return max(float(queue.slots), queue.throughput / self._settings.listener_pace)

    def _room_at_encoder(self, listeners: "ActiveListeners", now: float) -> float:
        elsewhere = sum(others.count(now) for others in self._listeners.values() if others is not listeners)
        return self._encoder.throughput * self._settings.encoder_share / self._settings.listener_pace - elsewhere


class ActiveListeners:
    """The listeners of one model."""

    def __init__(self) -> None:
        self._gone_at: dict[tuple[UUID, UUID], float] = {}  # by account and listener

    def note(self, requester: Requester, work: float, now: float) -> None:
        """A segment of ``work`` seconds is made for the requester."""
        if requester.listener is None or requester.lane != "live":
            return
        listener = requester.account, requester.listener
        self._gone_at[listener] = max(self._gone_at.get(listener, 0.0), now + work + _GRACE)

    def knows(self, requester: Requester, now: float) -> bool:
        self._forget_gone(now)
        return requester.listener is not None and (requester.account, requester.listener) in self._gone_at

    def count(self, now: float) -> int:
        self._forget_gone(now)
        return len(self._gone_at)

    def next_to_go(self, now: float) -> float:
        """Returns the seconds after which the first of them is gone, unless it asks again."""
        return min((gone_at - now for gone_at in self._gone_at.values()), default=0.0)

    def forget(self, requester: Requester) -> None:
        if requester.listener is not None:
            self._gone_at.pop((requester.account, requester.listener), None)

    def _forget_gone(self, now: float) -> None:
        self._gone_at = {listener: gone_at for listener, gone_at in self._gone_at.items() if gone_at > now}
