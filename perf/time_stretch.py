"""Measures what another tempo costs: ``python -m perf.time_stretch SPEECH.wav``, a mono WAV of 16 bits."""

import sys
import time
import wave
from typing import Final

import numpy as np
import numpy.typing as npt

from lectern.time_stretch import Stretcher
from perf.summary_statistics import MedianRange

TEMPOS: Final = (0.25, 0.5, 0.75, 1.25, 1.5, 2.0, 3.0, 4.0)
CHUNK: Final = 0.1  # seconds
REPETITIONS: Final = 5


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    with wave.open(sys.argv[1]) as file:
        rate, samples = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), np.int16)
    print("tempo   processor milliseconds for a second of the input: median (least to greatest)")
    for tempo in TEMPOS:
        costs = [cost(samples, rate, tempo) for _ in range(REPETITIONS)]
        print(f"{tempo:<5g} {MedianRange.of(costs)}")
    return 0


def cost(samples: npt.NDArray[np.int16], rate: int, tempo: float) -> float:
    """Returns the processor time, in milliseconds, for a second of the input that comes in chunks."""
    chunk = int(CHUNK * rate)
    stretcher = Stretcher(tempo, rate)
    start = time.process_time()
    for at in range(0, samples.size, chunk):
        stretcher.feed(samples[at : at + chunk])
    stretcher.flush()
    return 1_000 * (time.process_time() - start) / (samples.size / rate)


if __name__ == "__main__":
    sys.exit(main())
