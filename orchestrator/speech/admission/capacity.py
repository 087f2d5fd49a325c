"""For how many listeners there is room: as many as a model keeps up with, and as this process can encode for."""

from typing import Final, Protocol

from orchestrator.speech.admission.fair_queue import Requester
from orchestrator.speech.admission.listeners import ActiveListeners
from orchestrator.speech.admission.model_queue import ModelQueue
from orchestrator.speech.settings import AdmissionSettings

_LATE_RETRY: Final = 5.0  # seconds, at least; those who listen take a while to fill their stores


class Encoding(Protocol):
    """`PriorityThreads`, as far as admission looks at them."""

    @property
    def pace(self) -> float: ...

    def lateness(self) -> float: ...


class Capacity:
    def __init__(self, settings: AdmissionSettings, encoder: Encoding) -> None:
        self._settings = settings
        self._encoder = encoder
        self._listeners: dict[str, ActiveListeners] = {}  # by model

    def of(self, model: str) -> ActiveListeners:
        return self._listeners.setdefault(model, ActiveListeners())

    def wait(self, model: str, line: ModelQueue, requester: Requester, now: float) -> float | None:
        """Seconds until there may be room for one who begins to listen; None if there is, or one gives way."""
        listeners = self.of(model)
        if requester.listener is None or requester.lane == "batch" or listeners.knows(requester, now):
            return None
        if self._encoder.lateness() > self._settings.encoder_wait:
            return max(_LATE_RETRY, listeners.first_to_go(now))
        room = max(1.0, min(self._at_model(line), self._at_encoder(listeners, now)))
        if listeners.count(now) + 1 <= room or listeners.make_room(requester, now):
            return None
        return listeners.first_to_go(now)

    def _at_model(self, line: ModelQueue) -> float:
        return max(float(line.slots), line.pace / self._settings.listener_pace)

    def _at_encoder(self, listeners: ActiveListeners, now: float) -> float:
        at_others = sum(of_model.count(now) for of_model in self._listeners.values() if of_model is not listeners)
        return self._encoder.pace * self._settings.encoder_share / self._settings.listener_pace - at_others
