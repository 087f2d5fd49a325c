"""Audio that was made before: one FLAC for each segment key, and beside it the encodings that were asked for."""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import structlog

from lectern.triton import Mark
from orchestrator.lib import metrics
from orchestrator.lib.store import Store, StoreFailed
from orchestrator.speech.audio.decoding import decode
from orchestrator.speech.audio.encoding import encode_whole
from orchestrator.speech.audio.formats import CONTAINERS, AudioFormat, Sound
from orchestrator.speech.kept.inventory import Inventory
from orchestrator.speech.kept.paths import ABOUT, path_of
from orchestrator.speech.threads import EncoderThreads

KEPT: Final[AudioFormat] = "flac"
_KEEPING: Final = 10.0  # seconds within which what was heard should be on its way to the store

log = structlog.stdlib.get_logger("lectern.kept")


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
    """Parts of a segment may be gone at any moment, as eviction deletes them: it then reads as not kept."""

    def __init__(self, store: Store, threads: EncoderThreads, inventory: Inventory) -> None:
        self._store = store
        self._threads = threads
        self._inventory = inventory

    async def read(self, key: str) -> Variant | None:
        data = await self._store.read(path_of(key, KEPT))
        if data is None:
            return None
        about = await self._about(key)
        if about is None:
            return None
        self._inventory.note(key)
        samples, rate = await self._threads.run(decode, data)
        return Variant(samples, rate, about.marks)

    async def length(self, key: str) -> tuple[int, int] | None:
        """Samples and their rate in Hz; None if the segment is not kept."""
        about = await self._about(key)
        if about is None:
            return None
        self._inventory.note(key)
        return about.samples, about.sample_rate

    async def write(self, key: str, variant: Variant) -> None:
        """For who holds the segment's lease. Raises `StoreFailed`."""
        data = await self._threads.encode(_KEEPING, encode_whole, variant.samples, KEPT, variant.sample_rate)
        about = msgspec.json.encode(_About(len(variant.samples), variant.sample_rate, variant.marks))
        await self._store.write(path_of(key, KEPT), data, CONTAINERS[KEPT].content_type)
        # Last: what is told of is there.
        await self._store.write(path_of(key, ABOUT), about, "application/json")
        await self._inventory.made(key, {KEPT: len(data), ABOUT: len(about)})

    async def encoded(self, key: str, sound: Sound) -> bytes | None:
        """A complete file with exact headers, made from the kept audio at the first request; None if none is kept."""
        kept = await self._store.read(path_of(key, sound.suffix))
        if kept is not None:
            self._inventory.note(key)
            return kept
        if sound.suffix == KEPT:
            return None
        made = await self._encode(key, sound)
        if made is not None:
            await self._add(key, sound, made)
        return made

    async def in_store(self, key: str, sound: Sound, *, again_after: float) -> bool:
        """Whether the store has such a file and will not lose it soon: makes it from the kept audio if need be.

        False where that cannot be said; `encoded` then knows more. ``again_after``: see `Inventory.hold`.
        """
        if not await self._inventory.hold(key, again_after=again_after):
            return False
        if await self._store.has(path_of(key, sound.suffix)):
            return True
        if sound.suffix == KEPT:
            return False
        made = await self._encode(key, sound)
        return made is not None and await self._add(key, sound, made)

    async def _encode(self, key: str, sound: Sound) -> bytes | None:
        variant = await self.read(key)
        if variant is None:
            return None
        return await self._threads.run(
            encode_whole, variant.samples, sound.audio_format, variant.sample_rate, sound.sample_rate
        )

    async def _add(self, key: str, sound: Sound, data: bytes) -> bool:
        """Whether the encoding could be kept; if not, it is made again when it is asked for again.

        It is written down first, which holds off an eviction, and what it was made from must be there still: no
        encoding may outlive its segment and meet another making of it.
        """
        try:
            if not await self._inventory.add(key, sound.suffix, len(data)):
                return False
            if not await self._store.has(path_of(key, KEPT)):
                await self._inventory.forget_remnant(key, KEPT)
                return False
            await self._store.write(path_of(key, sound.suffix), data, sound.content_type)
        except StoreFailed:
            metrics.STORE_FAILURES.inc()
            log.exception("an encoding could not be kept", segment=key)
            return False
        return True

    async def _about(self, key: str) -> _About | None:
        data = await self._store.read(path_of(key, ABOUT))
        return None if data is None else msgspec.json.decode(data, type=_About)
