"""What a listener hears of the sound that has come: how much is left, and when there was silence instead."""

from enum import Enum, auto
from typing import Final

STORE: Final = 0.5  # seconds of sound that a player waits for before it starts, at first and after a silence
SHORTEST: Final = 0.05  # seconds of silence that count


class State(Enum):
    STARTING = auto()  # after the start and after a jump: nobody expects sound yet
    PLAYING = auto()
    SILENT = auto()  # it ran dry
    PAUSED = auto()


class Player:
    """Times are seconds of one clock. ``rate`` is how many seconds of sound are heard in one."""

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self.left = 0.0  # seconds of sound that are not heard yet
        self.heard = 0.0
        self.silences: list[float] = []
        self._state = State.STARTING
        self._now = now
        self._silent_since = 0.0

    def receive(self, seconds: float, now: float, *, last: bool = False) -> None:
        """``last``: no more will come for now, so that a short rest is played as well."""
        self.advance(now)
        self.left += seconds
        if self._state in (State.STARTING, State.SILENT) and (self.left >= STORE or (last and self.left > 0)):
            self._end_silence(now)
            self._state = State.PLAYING

    def jump(self, now: float) -> None:
        self.advance(now)
        self._end_silence(now)
        self.left = 0.0
        self._state = State.STARTING

    def pause(self, now: float) -> None:
        self.advance(now)
        if self._state is State.PLAYING:
            self._state = State.PAUSED

    def resume(self, now: float) -> None:
        self.advance(now)
        if self._state is State.PAUSED:
            self._state = State.PLAYING

    def advance(self, now: float) -> None:
        if self._state is State.PLAYING:
            wanted = (now - self._now) * self.rate
            heard = min(wanted, self.left)
            self.heard += heard
            self.left -= heard
            if heard < wanted:
                self._state = State.SILENT
                self._silent_since = now - (wanted - heard) / self.rate
        self._now = now

    def end(self, now: float) -> None:
        self.advance(now)
        self._end_silence(now)

    def _end_silence(self, now: float) -> None:
        if self._state is State.SILENT and now - self._silent_since >= SHORTEST:
            self.silences.append(now - self._silent_since)
