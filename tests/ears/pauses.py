"""Where the sound stops and begins again: what the times of words, and the silence of pauses, are judged by."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from lectern.types import Word
from tests.ears.recording import Recording

QUIETER: Final = 35  # dB below loud speech (its 95th percentile): what is fainter is no sound of a word
SHORTEST: Final = 0.15  # seconds; what is shorter may be the closure of a plosive
WINDOW: Final = 0.005  # seconds over which loudness is measured
STEP: Final = 0.001
FARTHEST: Final = 0.6  # seconds from a word's time to the edge of the pause that it belongs to
CLICK: Final = 0.008  # seconds for which a click is loud in such a window; the release of a plosive is longer
QUIET_AROUND: Final = 0.020  # seconds of quiet beside a click
MARGIN: Final = 0.010  # seconds at both ends of a pause, in which a word still fades


class Pause(NamedTuple):
    start: float
    end: float


@dataclass(frozen=True)
class TimingErrors:
    """How late words are told to begin behind pauses, and to end before them, in seconds."""

    starts: list[float]
    ends: list[float]

    def __add__(self, other: "TimingErrors") -> "TimingErrors":
        return TimingErrors(self.starts + other.starts, self.ends + other.ends)

    def __str__(self) -> str:
        return "; ".join(
            f"{len(errors)} {name}: {1000 * np.mean(errors):+.0f} ms, {1000 * _distance(errors):.0f} ms away"
            for name, errors in (("starts", self.starts), ("ends", self.ends))
        )

    @property
    def start_distance(self) -> float:
        return _distance(self.starts)

    @property
    def end_distance(self) -> float:
        return _distance(self.ends)


def pauses(recording: Recording, shortest: float = SHORTEST) -> list[Pause]:
    """Returns every stretch of quiet, those at both ends of the recording too."""
    loudness = _loudness(recording)
    quiet = loudness < np.percentile(loudness, 95) - QUIETER
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(int)))
    found = [Pause(float(start) * STEP, float(end) * STEP) for start, end in edges.reshape(-1, 2)]
    return [pause for pause in found if pause.end - pause.start >= shortest]


def timing_errors(recording: Recording, shortest: float = SHORTEST) -> TimingErrors:
    """Compares the words' times with the edges of the pauses between them.

    A pause belongs to the two words around it whose times are nearest to its edges, that at the beginning or the end
    to one. A silence inside of a word belongs to none.
    """
    starts, ends = [], []
    for pause in pauses(recording, shortest):
        neighbours = [
            (before, after)
            for before, after in pairwise((None, *recording.words, None))
            if (before is None or before.start < pause.start) and (after is None or after.end > pause.end)
        ]
        if not neighbours:
            continue
        before, after = min(neighbours, key=lambda pair: _farthest(pause, *pair))
        if _farthest(pause, before, after) < FARTHEST:
            starts += [after.start - pause.end] if after else []
            ends += [before.end - pause.start] if before else []
    return TimingErrors(starts, ends)


def _farthest(pause: Pause, before: Word | None, after: Word | None) -> float:
    return max(abs(before.end - pause.start) if before else 0, abs(after.start - pause.end) if after else 0)


def largest_step(recording: Recording) -> float:
    """Returns the largest step between two samples in a pause, of full scale: a click, if it is large.

    A click is louder than a pause and shorter than any sound of a word: what is as short as that does not end a pause.
    """
    steps = np.abs(np.diff(recording.samples.astype(np.float64))) / 32_768
    joined: list[Pause] = []
    for pause in pauses(recording, shortest=QUIET_AROUND):
        if joined and pause.start - joined[-1].end < CLICK:
            joined[-1] = Pause(joined[-1].start, pause.end)
        else:
            joined.append(pause)
    found = [0.0]
    for pause in joined:
        if pause.end - pause.start < SHORTEST:
            continue
        inside = steps[int((pause.start + MARGIN) * recording.rate) : int((pause.end - MARGIN) * recording.rate)]
        found.append(float(inside.max(initial=0)))
    return max(found)


def _loudness(recording: Recording) -> Any:
    """Returns the loudness in dB around each millisecond."""
    power = np.square(recording.samples.astype(np.float64) / 32_768)
    half = int(WINDOW * recording.rate / 2)
    total = np.concatenate([[0], np.cumsum(np.pad(power, half))])
    centres = np.arange(0, len(power), int(STEP * recording.rate))
    return 10 * np.log10((total[centres + 2 * half] - total[centres]) / (2 * half) + 1e-12)


def _distance(errors: list[float]) -> float:
    return float(np.mean(np.abs(errors)))
