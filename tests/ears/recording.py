"""What a stack has spoken: samples, and when each word is heard."""

import wave
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from lectern import Client
from lectern.types import AudioDelta, Done, SpeechEvent, Usage, Word, Words

MODEL: Final = "kokoro"
VOICE: Final = "jf_alpha"  # there is no English one
LANGUAGE: Final = "en-US"
RATE: Final = 24_000  # Hz, Kokoro's own


@dataclass(frozen=True)
class Recording:
    samples: npt.NDArray[np.int16]
    words: tuple[Word, ...] = ()
    usage: Usage | None = None
    rate: int = RATE

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    @classmethod
    def of(cls, events: Iterable[SpeechEvent]) -> Self:
        audio, words, usage = bytearray(), list[Word](), None
        for event in events:
            match event:
                case AudioDelta():
                    audio += event.audio
                case Words():
                    words += event.words
                case Done():
                    usage = event.usage
        return cls(np.frombuffer(bytes(audio), "<i2"), tuple(words), usage)

    def save(self, file: Path) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(file), "wb") as target:
            target.setnchannels(1)
            target.setsampwidth(2)
            target.setframerate(self.rate)
            target.writeframes(self.samples.astype("<i2").tobytes())
        return file


def spoken(client: Client, text: str, **options: Any) -> Recording:
    """Returns the text as Kokoro speaks it, in English unless the options say otherwise."""
    options = {"voice": VOICE, "language": LANGUAGE} | options
    return Recording.of(client.speak_events(text, model=MODEL, audio_format="pcm", **options))
