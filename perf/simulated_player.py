"""A player of Ogg Opus without sound: how much audio is buffered, and when the buffer ran empty."""

from enum import Enum, auto
from typing import Final

BUFFER: Final = 0.5  # seconds of audio that a player waits for before it starts, at first and after an underrun
SHORTEST_UNDERRUN: Final = 0.05  # seconds
OGG_RATE: Final = 48_000  # of the positions in the pages, whatever the rate of the sound
_OGG_HEAD: Final = 27  # bytes of a page before its table of segments
_OGG_POSITION: Final = slice(6, 14)


class State(Enum):
    STARTING = auto()  # after the start and after a jump: nobody expects sound yet
    PLAYING = auto()
    UNDERRUN = auto()
    PAUSED = auto()


class Player:
    """All times are seconds of one clock. ``rate`` is how many seconds of audio are played in one."""

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self.buffered = 0.0  # seconds of audio that are not played yet
        self.played = 0.0
        self.underruns: list[float] = []  # seconds each
        self._state = State.STARTING
        self._now = now
        self._underrun_since = 0.0

    def receive(self, seconds: float, now: float, *, last: bool = False) -> None:
        """``last``: no more audio comes for now, so that a short rest is played as well."""
        self.advance(now)
        self.buffered += seconds
        if self._state in (State.STARTING, State.UNDERRUN) and (
            self.buffered >= BUFFER or (last and self.buffered > 0)
        ):
            self._end_underrun(now)
            self._state = State.PLAYING

    def jump(self, now: float) -> None:
        self.advance(now)
        self._end_underrun(now)
        self.buffered = 0.0
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
            played = min(wanted, self.buffered)
            self.played += played
            self.buffered -= played
            if played < wanted:
                self._state = State.UNDERRUN
                self._underrun_since = now - (wanted - played) / self.rate
        self._now = now

    def end(self, now: float) -> None:
        self.advance(now)
        self._end_underrun(now)

    def _end_underrun(self, now: float) -> None:
        if self._state is State.UNDERRUN and now - self._underrun_since >= SHORTEST_UNDERRUN:
            self.underruns.append(now - self._underrun_since)


class OggDuration:
    """Counts the seconds of audio in an Ogg Opus stream by the headers of its pages."""

    def __init__(self) -> None:
        self._rest = b""
        self.seconds = 0.0
        """Zero until the first page of audio is complete: the first two hold only headers."""

    def feed(self, data: bytes) -> None:
        self._rest += data
        while len(self._rest) >= _OGG_HEAD:
            table = self._rest[_OGG_HEAD : _OGG_HEAD + self._rest[26]]
            size = _OGG_HEAD + self._rest[26] + sum(table)
            if len(table) < self._rest[26] or len(self._rest) < size:
                return
            if not self._rest.startswith(b"OggS"):
                raise ValueError("this is no Ogg stream")
            position = int.from_bytes(self._rest[_OGG_POSITION], "little", signed=True)
            self.seconds = max(self.seconds, position / OGG_RATE)
            self._rest = self._rest[size:]
