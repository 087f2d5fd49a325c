"""Converts voice prompts and previous speech to the engine's format: 24 kHz, of a length that it can use."""

import hashlib
import threading
from collections import OrderedDict
from typing import Final

import numpy as np

from lectern_triton.higgs_engine.messages import RATE, Recording
from lectern_triton.vllm_omni_backend.resampling import resampled
from lectern_triton.voice_backend.voice import BadRequest, Reference

SHORTEST: Final = 0.5  # seconds
QUIET: Final = 100  # of 32,768: a prompt that is never louder contains no voice
CACHED: Final = 64  # recordings


class PromptAudio:
    """Converts recordings, and caches the last ones: the segments of a document share their prompt."""

    def __init__(self, longest: float) -> None:
        """`longest` is in seconds."""
        self._longest = longest
        self._cache: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def convert(self, speech: Reference, name: str, *, needs_text: bool) -> Recording:
        """Returns a recording for the engine. `name` begins the names of its inputs. Raises BadRequest."""
        seconds = speech.audio.size / speech.rate
        if not SHORTEST <= seconds <= self._longest:
            raise BadRequest(
                f"{name}_audio is {seconds:.2f} s long: it must last between {SHORTEST:g} and {self._longest:g} s"
            )
        if max(int(speech.audio.max()), -int(speech.audio.min())) < QUIET:
            raise BadRequest(f"{name}_audio is silent: send speech")
        text = (speech.text or "").strip()
        if needs_text and not text:
            raise BadRequest(f"{name}_text is missing: send the words that are said in {name}_audio")
        return Recording(self._samples(speech), text)

    def _samples(self, speech: Reference) -> bytes:
        if speech.rate == RATE:
            return little_endian(speech)
        key = hashlib.blake2b(speech.audio.tobytes(), key=str(speech.rate).encode(), digest_size=16).digest()
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        made = little_endian(Reference(resampled(speech.audio, speech.rate, RATE), RATE, None))
        with self._lock:
            self._cache[key] = made
            while len(self._cache) > CACHED:
                self._cache.popitem(last=False)
        return made


def little_endian(speech: Reference) -> bytes:
    return speech.audio.astype(np.dtype("<i2"), copy=False).tobytes()
