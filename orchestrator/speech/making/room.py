"""For how many listeners there is room: as many as a model keeps up with, and as this process can encode for."""

from typing import Final, Protocol

from orchestrator.settings import AdmissionSettings
from orchestrator.speech.making.line import Line
from orchestrator.speech.making.listeners import Listeners
from orchestrator.speech.making.turns import Asker

_LATE_RETRY: Final = 5.0  # seconds, at least; those who listen take a while to fill their stores


class Encoding(Protocol):
    """`EncoderThreads`, as far as admission looks at them."""

    @property
    def pace(self) -> float: ...

    def lateness(self) -> float: ...


class Room:
    def __init__(self, settings: AdmissionSettings, encoder: Encoding) -> None:
        self._settings = settings
        self._encoder = encoder
        self._listeners: dict[str, Listeners] = {}  # by model

    def of(self, model: str) -> Listeners:
        return self._listeners.setdefault(model, Listeners())

    def wait(self, model: str, line: Line, asker: Asker, now: float) -> float | None:
        """Seconds until there may be room for one who begins to listen; None if there is, or one gives way."""
        listeners = self.of(model)
        if asker.listener is None or asker.lane == "batch" or listeners.knows(asker, now):
            return None
        if self._encoder.lateness() > self._settings.encoder_wait:
            return max(_LATE_RETRY, listeners.first_to_go(now))
        room = max(1.0, min(self._at_model(line), self._at_encoder(listeners, now)))
        if listeners.count(now) + 1 <= room or listeners.make_room(asker, now):
            return None
        return listeners.first_to_go(now)

    def _at_model(self, line: Line) -> float:
        return max(float(line.places), line.pace / self._settings.listener_pace)

    def _at_encoder(self, listeners: Listeners, now: float) -> float:
        at_others = sum(of_model.count(now) for of_model in self._listeners.values() if of_model is not listeners)
        return self._encoder.pace * self._settings.encoder_share / self._settings.listener_pace - at_others
