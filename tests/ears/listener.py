"""Whisper's base model, which writes down what it hears: always the same for the same samples."""

from typing import Any, Final

import av
import numpy as np
from faster_whisper import WhisperModel

from tests.ears.recording import Recording
from tests.ears.weight_packages import site_packages, whisper_files

RATE: Final = 16_000  # Hz, of what Whisper takes


class Listener:
    def __init__(self) -> None:
        files = whisper_files(site_packages())
        self._whisper = WhisperModel("base", device="cpu", compute_type="int8", cpu_threads=1, files=files)

    def transcript(self, recording: Recording, language: str = "en") -> str:
        segments, _ = self._whisper.transcribe(
            _resampled(recording),
            language=language,
            beam_size=5,
            temperature=0,
            condition_on_previous_text=False,
        )
        return "".join(segment.text for segment in segments).strip()


def _resampled(recording: Recording) -> Any:
    """Returns the samples at Whisper's rate, from -1 to 1."""
    frame = av.AudioFrame.from_ndarray(recording.samples[np.newaxis], format="s16", layout="mono")
    frame.sample_rate = recording.rate
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    made = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray()[0] for part in made])
