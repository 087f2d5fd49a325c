"""Loudness as broadcasters measure it (EBU R128, ITU-R BS.1770-4), by FFmpeg's meter."""

import math
from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.filter import Graph

from orchestrator.audio.pcm import FULL_SCALE, Samples, audio_frame
from orchestrator.audio.resampling import Resampler

_RATE: Final = 48_000  # the rate that BS.1770 specifies its filters for
_HIGHEST_PEAK: Final = 10 ** (-1 / 20)  # -1 dBTP, the most that R128 allows
_ROUNDING: Final = 0.0005  # the meter reports peaks to three decimals
_SILENCE: Final = -70.0  # LUFS: the absolute gate, below which nothing is measured
_TENTH: Final = _RATE // 10  # the meter reports once for each whole tenth of a second


class LoudnessMeter:
    """Measures a whole recording, whose chunks may have different sample rates. One thread may use it at a time."""

    def __init__(self) -> None:
        self._graph = _graph()
        self._resampler: Resampler | None = None
        self._fed = 0
        self._loudness = _SILENCE
        self._peak = 0.0

    def feed(self, samples: Samples, sample_rate: int) -> None:
        if self._resampler is None or self._resampler.from_rate != sample_rate:
            self._flush()
            self._resampler = Resampler(sample_rate, _RATE)
        self._push(self._resampler.feed(samples))

    def gain_to(self, target: float) -> float:
        """Returns the factor that brings the recording to ``target`` LUFS, or as near as peaks allow; 1 for silence.

        Nothing may be fed afterwards.
        """
        self._end()
        if self._loudness <= _SILENCE or self._peak <= 0:
            return 1.0
        wanted: float = 10 ** ((target - self._loudness) / 20)
        return min(wanted, _HIGHEST_PEAK / (self._peak + _ROUNDING))

    def loudness(self) -> float:
        """Returns the loudness of the recording in LUFS; -70 for silence. Nothing may be fed afterwards."""
        self._end()
        return self._loudness

    def _end(self) -> None:
        self._flush()
        self._push(np.zeros(-self._fed % _TENTH, np.int16))
        self._graph.push(None)
        self._read()

    def _flush(self) -> None:
        if self._resampler is not None:
            self._push(self._resampler.finish())

    def _push(self, samples: Samples) -> None:
        if len(samples):
            self._graph.push(audio_frame(samples, _RATE, self._fed))
            self._fed += len(samples)
            self._read()

    def _read(self) -> None:
        while True:
            try:
                metadata = self._graph.pull().metadata
            except (av.BlockingIOError, av.EOFError):  # the meter needs more input, or is at its end
                return
            loudness = float(metadata.get("lavfi.r128.I", "nan"))
            if math.isfinite(loudness):
                self._loudness = loudness
            self._peak = max(self._peak, float(metadata.get("lavfi.r128.true_peak", "0")))


def amplified(samples: Samples, factor: float) -> Samples:
    louder: Samples = np.clip(np.rint(samples * factor), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return louder


def _graph() -> Graph:
    graph = Graph()
    graph.threads = 1
    source = graph.add_abuffer(sample_rate=_RATE, format="s16", layout="mono", time_base=Fraction(1, _RATE))
    meter = graph.add("ebur128", peak="true", metadata="1", framelog="quiet")
    graph.link_nodes(source, meter, graph.add("abuffersink")).configure()
    return graph
