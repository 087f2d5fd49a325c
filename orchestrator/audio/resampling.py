"""Changes the sample rate of a stream without losing or adding a sample, however the stream is cut into chunks."""

from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.filter import Graph

from orchestrator.audio.pcm import EMPTY, Samples, audio_frame

# libswresample reflects the first and last samples of a stream into its filter, and loses a stream that is shorter
# than the filter. A tail of silence, longer than the filter at any rate, avoids both; the result is cut to length.
TAIL_SECONDS: Final = 0.05


def resampled_length(samples: int, from_rate: int, to_rate: int) -> int:
    """Returns how many samples ``samples`` become, rounded half to even."""
    return round(Fraction(samples * to_rate, from_rate))


class Resampler:
    """Converts one stream from one rate to another; ``finish`` ends it."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        self.from_rate = from_rate
        self.to_rate = to_rate
        self._consumed = 0
        self._produced = 0
        self._graph = _graph(from_rate, to_rate) if from_rate != to_rate else None

    def feed(self, samples: Samples) -> Samples:
        return self._convert(self._graph, samples) if self._graph else samples

    def finish(self) -> Samples:
        """Returns the rest: together with what ``feed`` returned, exactly ``resampled_length`` samples."""
        if not self._graph or not self._consumed:
            return EMPTY
        missing = resampled_length(self._consumed, self.from_rate, self.to_rate) - self._produced
        return self._convert(self._graph, np.zeros(round(self.from_rate * TAIL_SECONDS), np.int16))[:missing]

    def _convert(self, graph: Graph, samples: Samples) -> Samples:
        if not len(samples):
            return EMPTY
        graph.push(audio_frame(samples, self.from_rate, self._consumed))
        self._consumed += len(samples)
        chunks = [EMPTY]
        while True:
            try:
                frame = graph.pull()
            except av.BlockingIOError:  # the filter needs more input
                break
            chunks.append(frame.to_ndarray().reshape(-1).astype(np.int16, copy=False))
        self._produced += sum(map(len, chunks))
        return np.concatenate(chunks)


def _graph(from_rate: int, to_rate: int) -> Graph:
    """Builds the filter graph. PyAV's own AudioResampler would start a thread for every processor."""
    graph = Graph()
    graph.threads = 1
    source = graph.add_abuffer(sample_rate=from_rate, format="s16", layout="mono", time_base=Fraction(1, from_rate))
    resample = graph.add("aresample", sample_rate=str(to_rate), internal_sample_fmt="fltp", filter_size="32")
    form = graph.add("aformat", sample_fmts="s16", channel_layouts="mono")
    graph.link_nodes(source, resample, form, graph.add("abuffersink")).configure()
    return graph
