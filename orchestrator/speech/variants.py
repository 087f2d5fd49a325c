"""Audio that was made before: one FLAC for each segment key, and beside it the encodings that were asked for."""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from lectern.triton import Mark
from orchestrator.lib.store import Store
from orchestrator.speech.audio.decoding import decode
from orchestrator.speech.audio.encoding import encode_whole
from orchestrator.speech.audio.formats import AudioFormat
from orchestrator.speech.threads import EncoderThreads

KEPT: Final[AudioFormat] = "flac"


class Variant(msgspec.Struct, frozen=True):
    """A segment's audio: int16 mono samples, their rate in Hz, and its word marks."""

    samples: npt.NDArray[np.int16]
    sample_rate: int
    marks: list[Mark]


class _About(msgspec.Struct, frozen=True):
    """What is kept beside a segment's audio, for whoever need not decode it."""

    samples: int
    sample_rate: int
    marks: list[Mark]


class Variants:
    def __init__(self, store: Store, threads: EncoderThreads) -> None:
        self._store = store
        self._threads = threads

    async def read(self, key: str) -> Variant | None:
        data = await self._store.read(_path(key, KEPT))
        if data is None:
            return None
        about = await self._about(key)
        if about is None:
            return None
        samples, rate = await self._threads.run(decode, data)
        return Variant(samples, rate, about.marks)

    async def length(self, key: str) -> tuple[int, int] | None:
        """Samples and their rate in Hz; None if the segment is not kept."""
        about = await self._about(key)
        return None if about is None else (about.samples, about.sample_rate)

    async def write(self, key: str, variant: Variant) -> None:
        data = await self._threads.run(encode_whole, variant.samples, KEPT, variant.sample_rate)
        about = _About(len(variant.samples), variant.sample_rate, variant.marks)
        await self._store.write(_path(key, KEPT), data)
        # Last: what is told of is there.
        await self._store.write(_path(key, "json"), msgspec.json.encode(about))

    async def encoded(self, key: str, audio_format: AudioFormat) -> bytes | None:
        """A complete file with exact headers, made from the kept audio at the first request; None if none is kept."""
        kept = await self._store.read(_path(key, audio_format))
        if kept is not None or audio_format == KEPT:
            return kept
        variant = await self.read(key)
        if variant is None:
            return None
        data = await self._threads.run(encode_whole, variant.samples, audio_format, variant.sample_rate)
        await self._store.write(_path(key, audio_format), data)
        return data

    async def _about(self, key: str) -> _About | None:
        data = await self._store.read(_path(key, "json"))
        return None if data is None else msgspec.json.decode(data, type=_About)


def _path(key: str, suffix: str) -> str:
    """Two levels of folders, so that none holds more than a small part of a million files."""
    return f"segments/{key[:2]}/{key[2:4]}/{key}.{suffix}"
