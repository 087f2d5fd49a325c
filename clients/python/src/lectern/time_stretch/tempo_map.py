"""How fast each moment of the speech goes, so that the whole is exactly as long as asked for.

A listener misses little where a pause gets shorter, and much where a word does (Covell, Withgott and Slaney 1998,
"Mach1"). So pauses give more time than words, and what they give is spent on the words around them.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from lectern.time_stretch.pauses import Pauses

BLOCK: Final = 4  # steps that are planned at once
NEAR: Final = 0.05  # seconds planned ahead at the start, so that it is heard soon
FAR: Final = 1.5  # seconds planned ahead later
WIDENING: Final = 0.4  # seconds by which the plan reaches further with each second
LOAN: Final = 0.2  # as if this much of the time that is in sight were a pause behind it
SPREAD: Final = 3.0  # seconds after which half of what a pause at the end gives is spent
GENTLE: Final = 1.25  # words last at most this many times as long as without pauses
PAUSE: Final = 2.5  # inside a pause time goes as fast as the tempo to this power
BEYOND: Final = 0.3  # seconds that the map goes on behind the end

Floats = npt.NDArray[np.float64]


class TempoMap:
    """The place of each step of the input in the output. For a tempo of 1 and less that is a straight line."""

    def __init__(self, tempo: float, rate: int, behind: int) -> None:
        """`behind`: samples of silence that the input will end with."""
        self._tempo = tempo
        self._rate = rate
        self._pauses = Pauses(rate)
        self.step = self._pauses.step  # samples
        self._inside = bytearray()  # 1 for a step inside a pause, from the first one that is not planned on
        self._planned = 0  # steps
        self._places: Floats = np.zeros(1024)  # of the starts of all planned steps and the end of the last, in steps
        self._taken = 0  # samples
        self._given = 1 - tempo ** (1 - PAUSE) if tempo > 1 else 0.0  # by a pause, of its time
        self._behind = behind / self.step  # steps

    @property
    def settled(self) -> int:
        """How many samples of the input have a final place."""
        return self._planned * self.step

    def feed(self, samples: npt.NDArray[np.int16]) -> None:
        """Takes more input and plans as far as it can be seen."""
        self._taken += samples.size
        self._inside += self._pauses.feed(samples)
        while len(self._inside) >= (sight := self._sight()):
            spent = self._planned / (self._planned + SPREAD * self._rate / self.step)
            loan = self._given * (LOAN * sight + spent * self._behind)
            self._plan(sight, (self._planned + sight + loan) / self._tempo)

    def finish(self, length: int) -> None:
        """Plans the rest, so that the whole is `length` samples long."""
        self._inside += self._pauses.finish()
        rest = self._taken - (self._planned + len(self._inside)) * self.step  # samples: less than a step
        while self._inside:
            self._plan(len(self._inside), (length - rest / self._tempo) / self.step)
        beyond = np.arange(1, math.ceil(BEYOND * self._rate / self.step) + 1)
        end = length / self.step - rest / self.step / self._tempo
        self._append(end + beyond / self._tempo)

    def place(self, sample: int) -> int:
        """Returns where a sample of the input is heard in the output."""
        at = sample / self.step
        first = int(at)
        if first >= self._planned:
            return round((float(self._places[self._planned]) + (at - self._planned) / self._tempo) * self.step)
        start, end = float(self._places[first]), float(self._places[first + 1])
        return round((start + (at - first) * (end - start)) * self.step)

    def meeting(self, sample: int, made: int, within: int) -> int | None:
        """Returns how many samples to copy from `sample` on, behind `made` samples of output, to be where the map is.

        That is 0 where the output is past the map already, and None where more than `within` would be needed.
        """
        steps = np.arange(max(sample, 0) // self.step, (sample + within) // self.step + 2)
        ahead = (self._places[steps] - steps) * self.step - (made - sample)  # of the map before the output
        if self._tempo > 1:
            ahead = -ahead
        if ahead[-1] < 0:
            return None
        return max(0, round(np.interp(0, ahead, steps * self.step)) - sample)

    def _sight(self) -> int:
        """Returns how many steps are looked at to plan the next ones."""
        return int(min(NEAR + WIDENING * self._planned * self.step / self._rate, FAR) * self._rate / self.step)

    def _plan(self, sight: int, end: float) -> None:
        """Plans a block of steps, such that all those in sight would end at `end`."""
        pauses = self._inside.count(1, 0, sight)
        word, pause = self._lengths(sight - pauses, pauses, end - self._places[self._planned])
        block = [pause if inside else word for inside in self._inside[:BLOCK]]
        del self._inside[:BLOCK]
        self._append(self._places[self._planned] + np.cumsum(block))

    def _lengths(self, words: int, pauses: int, whole: float) -> tuple[float, float]:
        """Returns how long a step of words and a step of a pause last in the output, for so many of them."""
        if self._tempo <= 1:
            return whole / (words + pauses), whole / (words + pauses)
        word = whole / (words + pauses * self._tempo ** (1 - PAUSE))
        word = pause = min(word, GENTLE / self._tempo, 1)
        if pauses:
            pause = min((whole - words * word) / pauses, 1)
        if words:
            word = min((whole - pauses * pause) / words, 1)
        return max(word, 0), max(pause, 0)

    def _append(self, places: Floats) -> None:
        wanted = self._planned + places.size + 1
        if wanted > self._places.size:
            self._places = np.concatenate([self._places, np.zeros(max(wanted, self._places.size))])
        self._places[self._planned + 1 : wanted] = places
        self._planned += places.size
