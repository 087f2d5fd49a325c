"""The pauses inside the sound of a sentence: finds them, and gives each the length that is asked for."""

import re
from bisect import bisect_right
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from kokoro_voice.acoustic_client import FRAME, RATE
from kokoro_voice.g2p_client import Sentence
from lectern_contract import Break
from lectern_triton.voice_backend.trailing_silence import silence_level
from lectern_triton.voice_backend.voice import Samples

Positions = npt.NDArray[np.int64]
"""In samples from the begin of the sentence's sound."""

KEPT: Final = int(0.02 * RATE)  # samples of the model's own silence that stay at both ends, so that no sound is faded
SHORTEST: Final = int(0.03 * RATE)  # samples: where there is less silence, the model runs the words together
FADE: Final = int(0.01 * RATE)  # samples
_SLACK: Final = 3 * FRAME  # samples by which the model's durations may be wrong
_WINDOW: Final = int(0.01 * RATE)  # samples over which loudness is taken

_CLAUSES = re.compile(r"[,;:—][^\w\s]*\s*(?=\S)")
_RISE: Final = (np.arange(1, FADE + 1, dtype=np.float32) / (FADE + 1)).astype(np.float32)


class Pause(NamedTuple):
    """A pause of the model: in front of which phoneme, behind what, and from where its silence is to where."""

    behind: int
    kind: Break
    first: int
    last: int


class Edit(NamedTuple):
    """The samples from `first` to `last`, which so many samples of silence replace."""

    first: int
    last: int
    silence: int


def loud_samples(samples: Samples) -> Positions:
    """Returns the positions of the samples that are no silence."""
    level = np.abs(samples.astype(np.int32))
    return np.flatnonzero(level > silence_level(int(level.max())))


def find_pauses(
    sentence: Sentence, starts: Positions, samples: Samples, loud: Positions, needed: Container[Break]
) -> list[Pause]:
    """Returns the pauses inside a sentence, in order.

    `starts` has the first sample of each phoneme and the end of the last one, `loud` the samples that are no silence.
    Where the model runs words together between which a pause is needed, an empty one is at the quietest place.
    """
    breaks: dict[int, Break] = {found.end(): "clause" for found in _CLAUSES.finditer(sentence.phonemes)}
    breaks.update(sentence.breaks)
    pauses: list[Pause] = []
    for behind, kind in sorted(breaks.items()):
        before = _last_sound(sentence.phonemes, behind)
        if before is None:
            continue
        begin = int(starts[behind])
        first, last = _longest_gap(loud, int(starts[before]), begin + _SLACK)
        if last - first < SHORTEST:
            if kind not in needed:
                continue
            first = last = _quietest(samples, max(int(starts[before]), begin - 2 * _SLACK), begin + _SLACK)
        if not pauses or first >= pauses[-1].last:
            pauses.append(Pause(behind, kind, first, last))
    return pauses


def edits_of(pauses: Iterable[Pause], wanted: Mapping[Break, float]) -> list[Edit]:
    """Returns what to change so that the pauses last as many seconds as wanted, from sound to sound."""
    edits: list[Edit] = []
    for _, kind, first, last in pauses:
        if kind in wanted:
            kept = min(KEPT, (last - first) // 2)
            edits.append(Edit(first + kept, last - kept, max(0, round(wanted[kind] * RATE) - 2 * kept)))
    return edits


def _quietest(samples: Samples, first: int, last: int) -> int:
    """Returns the middle of the quietest window between two samples."""
    power = np.cumsum(np.square(samples[max(0, first) : last].astype(np.int64)))
    if power.size <= _WINDOW:
        return min(first + power.size // 2, samples.size)
    return first + int(np.argmin(power[_WINDOW:] - power[:-_WINDOW])) + _WINDOW // 2


def _last_sound(phonemes: str, end: int) -> int | None:
    """Returns the last phoneme in front of `end` that is no blank and no sign."""
    return next((at for at in range(end - 1, -1, -1) if phonemes[at].isalpha()), None)


def _longest_gap(loud: Positions, first: int, last: int) -> tuple[int, int]:
    """Returns the longest silence that begins from one sample to another; an empty one if there is none."""
    begin, end = np.searchsorted(loud, [first, last])
    if begin >= end or loud.size - begin <= 1:
        return first, first
    lengths = np.diff(loud[begin : end + 1])
    at = int(begin + np.argmax(lengths))
    return int(loud[at]) + 1, int(loud[at + 1])


def edited(samples: Samples, first: int, last: int, edits: Sequence[Edit]) -> Samples:
    """Returns the samples from `first` to `last` with the edits made, faded wherever something is cut."""
    parts: list[Samples] = []
    begin = first
    for edit in edits:
        parts += [faded(samples[begin : edit.first], begin > 0, at_end=True), np.zeros(edit.silence, np.int16)]
        begin = edit.last
    parts.append(faded(samples[begin:last], begin > 0, at_end=last < samples.size))
    return np.concatenate(parts)


class EditedPositions:
    """Where samples are found once the edits are made and everything in front of `first` is cut."""

    def __init__(self, first: int, edits: Sequence[Edit]) -> None:
        self._first = first
        self._edits = edits
        self._begins = [edit.first for edit in edits]
        self._growth = list(accumulate((edit.silence - edit.last + edit.first for edit in edits), initial=0))

    def __call__(self, position: int) -> int:
        number = bisect_right(self._begins, position)
        moved = position + self._growth[number]
        if number and position < self._edits[number - 1].last:  # in what is replaced
            edit = self._edits[number - 1]
            moved = edit.first + self._growth[number - 1] + min(position - edit.first, edit.silence)
        return max(0, moved - self._first)


def faded(samples: Samples, at_start: bool, *, at_end: bool) -> Samples:  # noqa: FBT001
    """Returns a copy that rises from silence and falls to it."""
    copy = samples.copy()
    width = min(FADE, copy.size)
    if at_start:
        copy[:width] = (copy[:width] * _RISE[:width]).astype(np.int16)
    if at_end:
        copy[copy.size - width :] = (copy[copy.size - width :] * _RISE[:width][::-1]).astype(np.int16)
    return copy
