"""Audio that was made before: one FLAC for each segment key, and beside it the encodings that were asked for."""

import asyncio
from typing import Final, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import structlog

from lectern.triton import Mark
from orchestrator.audio.decoding import UnreadableAudioError, decode
from orchestrator.audio.encoding import encode_whole
from orchestrator.audio.formats import CONTAINERS, AudioFormat, Sound
from orchestrator.lib import metrics
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.lib.store import Store, StoreFailed
from orchestrator.speech.cache.checksums import SUFFIX, Checksum
from orchestrator.speech.cache.index import CacheIndex
from orchestrator.speech.cache.paths import ABOUT, parse_path, path_of

KEPT: Final[AudioFormat] = "flac"
_KEEPING: Final = 10.0  # seconds within which what was heard should be on its way to the store

T = TypeVar("T")

log = structlog.stdlib.get_logger("lectern.kept")


class CachedAudio(msgspec.Struct, frozen=True):
    """A segment's audio: int16 mono samples, their rate in Hz, and its word marks."""

    samples: npt.NDArray[np.int16]
    sample_rate: int
    marks: list[Mark]


class _About(msgspec.Struct, frozen=True):
    """What is kept beside a segment's audio, for whoever need not decode it. ``flac`` is new: older ones lack it."""

    samples: int
    sample_rate: int
    marks: list[Mark]
    flac: Checksum | None = None


class AudioCache:
    """Parts of a segment may be gone at any moment, as eviction deletes them: it then reads as not kept.

    So does what cannot be read, or is not what was written. Whoever holds the segment's lease deletes it.
    """

    def __init__(self, store: Store, threads: PriorityThreads, cache_index: CacheIndex) -> None:
        self._store = store
        self._threads = threads
        self._index = cache_index

    async def read(self, key: str, *, leased: bool = False) -> CachedAudio | None:
        """``leased``: the caller holds the segment's lease, so that what cannot be read is not just being written."""
        data, about = await asyncio.gather(self._store.read(path_of(key, KEPT)), self._store.read(path_of(key, ABOUT)))
        if data is None and about is None:
            return None
        try:
            variant = await self._threads.run(_restored, data, about)
        except (UnreadableAudioError, msgspec.MsgspecError) as error:
            if leased:
                log.warning("kept audio cannot be read and is made anew", segment=key, error=str(error))
                await self._discard(key)
            return None
        self._index.note(key)
        return variant

    async def length(self, key: str) -> tuple[int, int] | None:
        """Samples and their rate in Hz; None if the segment is not kept."""
        about, size = await asyncio.gather(self._about(key), self._store.size(path_of(key, KEPT)))
        if about is None or size is None or (about.flac is not None and about.flac.size != size):
            return None
        self._index.note(key)
        return about.samples, about.sample_rate

    async def write(self, key: str, variant: CachedAudio) -> None:
        """For who holds the segment's lease. Raises `StoreFailed`."""
        data = await self._threads.encode(_KEEPING, encode_whole, variant.samples, KEPT, variant.sample_rate)
        told = _About(len(variant.samples), variant.sample_rate, variant.marks, Checksum.of(data))
        about = msgspec.json.encode(told)
        await self._store.write(path_of(key, KEPT), data, CONTAINERS[KEPT].content_type)
        # Last: what is told of is there.
        await self._store.write(path_of(key, ABOUT), about, "application/json")
        await self._index.made(key, {KEPT: len(data), ABOUT: len(about)})

    async def encoded(self, key: str, sound: Sound) -> bytes | None:
        """A complete file with exact headers, made from the kept audio at the first request; None if none is kept."""
        kept, checksum = await asyncio.gather(
            self._store.read(path_of(key, sound.suffix)), self._checksum(key, sound.suffix)
        )
        if kept is not None and checksum is not None:
            if checksum.fits(kept):
                self._index.note(key)
                return kept
            log.warning("a kept file is not what was written", segment=key, suffix=sound.suffix)
        if sound.suffix == KEPT:
            # Kept before there were checksums, or not at all.
            return kept if kept is not None and checksum is None and await self.read(key) is not None else None
        made = await self._encode(key, sound)
        if made is not None:
            await self._add(key, sound, made)
        return made

    async def in_store(self, key: str, sound: Sound, *, again_after: float) -> bool:
        """Whether the store has such a file and will not lose it soon: makes it from the kept audio if need be.

        False where that cannot be said; `encoded` then knows more. ``again_after``: see `CacheIndex.hold`. Of a file
        that somebody else is to send only the size is compared with what was written.
        """
        if not await self._index.hold(key, again_after=again_after):
            return False
        size, checksum = await asyncio.gather(
            self._store.size(path_of(key, sound.suffix)), self._checksum(key, sound.suffix)
        )
        if size is not None and checksum is not None and size == checksum.size:
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
        suffix, checksum = f"{sound.suffix}.{SUFFIX}", msgspec.json.encode(Checksum.of(data))
        try:
            if not await self._index.add(key, {sound.suffix: len(data), suffix: len(checksum)}):
                return False
            if not await self._store.has(path_of(key, KEPT)):
                await self._index.forget_remnant(key, KEPT)
                return False
            await self._store.write(path_of(key, suffix), checksum, "application/json")
            await self._store.write(path_of(key, sound.suffix), data, sound.content_type)
        except StoreFailed:
            metrics.STORE_FAILURES.inc()
            log.exception("an encoding could not be kept", segment=key)
            return False
        return True

    async def _discard(self, key: str) -> None:
        """Deletes all of the segment, its encodings too: none may meet another making of it."""
        try:
            listed = await self._store.list(path_of(key, ABOUT).rpartition("/")[0])
            paths = [stored.path for stored in listed if (parse_path(stored.path) or ("",))[0] == key]
            await self._store.delete(sorted(paths, key=lambda path: path != path_of(key, ABOUT)))
        except StoreFailed:
            # What is made anew takes its place; only an old encoding may stay.
            metrics.STORE_FAILURES.inc()
            log.exception("kept audio that cannot be read could not be deleted", segment=key)
        else:
            await self._index.forget(key)

    async def _checksum(self, key: str, suffix: str) -> Checksum | None:
        """None where nothing is kept, or was before there were checksums."""
        if suffix == KEPT:
            about = await self._about(key)
            return None if about is None else about.flac
        data = await self._store.read(path_of(key, f"{suffix}.{SUFFIX}"))
        return None if data is None else _decoded(data, Checksum)

    async def _about(self, key: str) -> _About | None:
        data = await self._store.read(path_of(key, ABOUT))
        return None if data is None else _decoded(data, _About)


def _decoded(data: bytes, kind: type[T]) -> T | None:
    """None for what a crash or a bad disk has changed."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError:
        return None


def _restored(data: bytes | None, account: bytes | None) -> CachedAudio:
    """Raises `UnreadableAudioError` or `MsgspecError` unless both are what was written."""
    if data is None or account is None:
        raise UnreadableAudioError("Half of it is gone.")
    about = msgspec.json.decode(account, type=_About)
    if about.flac is not None and not about.flac.fits(data):
        raise UnreadableAudioError("The file is not what was written.")
    samples, rate = decode(data)
    if (len(samples), rate) != (about.samples, about.sample_rate):
        raise UnreadableAudioError(f"The file has {len(samples)} samples at {rate} Hz, and others were written.")
    return CachedAudio(samples, rate, about.marks)
