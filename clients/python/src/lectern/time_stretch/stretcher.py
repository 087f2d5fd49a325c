"""A stream of speech, made faster or slower."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from lectern.time_stretch.pitch_period import PeriodSearch
from lectern.time_stretch.tempo_map import TempoMap

SHORTEST_FADE: Final = 0.008  # seconds; with more and shorter ones fast speech gets hoarse
LONGEST_JUMP: Final = 0.1  # seconds
BEHIND: Final = 0.5  # seconds of silence behind the end, which the last jumps may reach into

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]


def stretched_length(samples: int, tempo: float) -> int:
    """Returns how many samples come out of a `Stretcher` for those that went in."""
    return round(samples / tempo)


class Stretcher:
    """Stretches one stream of mono samples. A tempo of 2 is twice as fast.

    The output does not depend on how the input is cut into chunks. The algorithm is time-domain harmonic scaling (Malah
    1979) with the voice's own period as the only length: the output follows the input, and whenever it would be a
    period late it jumps over that period, cross-fading (below a tempo of 1 it says the period again). The cross-fades
    are as long as the tempo leaves time for, up to a period; what lies between two of them is copied unchanged.
    """

    def __init__(self, tempo: float, rate: int, pause: int = 0) -> None:
        """`pause`: samples of silence that `flush` gives behind the rest, less what the words took of it."""
        self._tempo = tempo
        self._pause = pause
        self._map = TempoMap(tempo, rate, round(pause * tempo))
        self._search = PeriodSearch(rate)
        self._shortest_fade = int(SHORTEST_FADE * rate)
        self._longest_jump = int(LONGEST_JUMP * rate)
        self._behind = int(BEHIND * rate)
        self._taken = 0  # samples
        self._origin = -self._longest_jump  # sample of the input that `_sound` begins with
        self._sound: Floats = np.zeros(self._longest_jump)
        self._at = 0  # sample of the input that the output goes on with
        self._made = 0  # samples
        self._period: int | None = None  # at `_at`, when it was looked for

    @property
    def settled(self) -> int:
        """How many samples of the input have a final position in the output."""
        return min(self._map.settled, self._taken)

    def position(self, sample: int) -> int:
        """Returns where a sample of the input is heard in the output. It is final for those that are `settled`."""
        return self._map.place(sample)

    def feed(self, samples: Samples) -> Samples:
        """Takes more input and returns the output that is final by now."""
        self._taken += samples.size
        self._map.feed(samples)
        self._sound = np.concatenate([self._sound, samples])
        made = []
        while (piece := self._next()) is not None:
            made.append(piece)
        self._forget()
        return rounded(made)

    def flush(self) -> Samples:
        """Returns the rest. The whole output has `stretched_length` samples, and the pause."""
        length = stretched_length(self._taken, self._tempo) + self._pause
        before = self._made
        made = [self.feed(np.zeros(round(self._pause * self._tempo), np.int16)).astype(np.float64)]
        self._map.finish(length)
        self._sound = np.concatenate([self._sound, np.zeros(self._behind)])
        while self._made < length and (piece := self._next()) is not None:
            made.append(piece)
        return rounded(made)[: length - before]

    def _next(self) -> Floats | None:
        """Returns the next piece of the output, or None if that takes more input."""
        if self._end < self._at + self._search.window + self._search.longest:
            return None
        period = self._period = self._period or self._find_period()
        direction = 1 if self._tempo > 1 else -1
        jump = period
        while True:
            landing = self._at + direction * jump
            within = 2 * jump
            if landing + within >= min(self._map.settled, self._end) - self._map.step:
                return None
            length = self._map.meeting(landing, self._made, within)
            if length is None:
                return self._give(self._read(self._at, period), self._at + period)
            if length >= self._shortest_fade or jump + period > self._longest_jump:
                break
            jump += period
        length = max(length, self._shortest_fade)
        fade = min(length, jump)
        faded = cross_fade(self._read(self._at, fade), self._read(landing, fade))
        return self._give(np.concatenate([faded, self._read(landing + fade, length - fade)]), landing + length)

    def _find_period(self) -> int:
        window, longest = self._search.window, self._search.longest
        if self._tempo > 1:
            return self._search.forward(self._read(self._at, window + longest))
        return self._search.backward(self._read(self._at - longest, window + longest))

    @property
    def _end(self) -> int:
        return self._origin + self._sound.size

    def _read(self, start: int, length: int) -> Floats:
        return self._sound[start - self._origin : start - self._origin + length]

    def _give(self, piece: Floats, at: int) -> Floats:
        self._made += piece.size
        self._at = at
        self._period = None
        return piece

    def _forget(self) -> None:
        """Forgets the input that no later jump reaches."""
        past = max(0, self._at - self._longest_jump - self._search.longest - self._origin)
        self._sound = self._sound[past:].copy()
        self._origin += past


def cross_fade(first: Floats, second: Floats) -> Floats:
    """Returns a fade from one piece to another that keeps the loudness, however alike the two are."""
    rise = (np.arange(first.size) + 0.5) / first.size
    energies = float(np.vdot(first, first)) * float(np.vdot(second, second))
    alike = float(np.vdot(first, second)) / math.sqrt(energies + 1)
    power = rise**2 + (1 - rise) ** 2 + 2 * rise * (1 - rise) * max(alike, 0.0)
    faded: Floats = (first * (1 - rise) + second * rise) / np.sqrt(power)
    return faded


def rounded(pieces: list[Floats]) -> Samples:
    """Returns pieces as one row of 16-bit samples."""
    whole: Floats = np.concatenate([np.zeros(0), *pieces])
    return np.clip(np.rint(whole), -32768, 32767).astype(np.int16)
