"""The cached audio of segments: a FLAC for each key, its metadata, and the encodings that were asked for."""

import asyncio
import zlib
from collections.abc import Sequence
from typing import Final, Self, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import structlog

from lectern.triton import Mark
from orchestrator.audio.decoding import UnreadableAudioError, decode
from orchestrator.audio.encoding import encode_whole
from orchestrator.audio.formats import CONTAINERS, AudioFormat, Sound
from orchestrator.lib import metrics
from orchestrator.lib.database import is_outage
from orchestrator.lib.object_store import Store, StoreFailed
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.speech.cache.index import CacheIndex, Length
from orchestrator.speech.cache.names import METADATA, parse_path, path_of

ORIGINAL: Final[AudioFormat] = "flac"
CHECKSUM: Final = "sum"  # suffix of the object beside an encoding; the metadata has that of the FLAC
_WRITE_SLACK: Final = 10.0  # seconds within which new audio should be on its way to the store
_READS_AT_ONCE: Final = 16  # while the store is asked in place of the index

T = TypeVar("T")

log = structlog.stdlib.get_logger("lectern.cache")


class CachedAudio(msgspec.Struct, frozen=True):
    """Int16 mono samples, their rate in Hz, and the marks of the words."""

    samples: npt.NDArray[np.int16]
    sample_rate: int
    marks: list[Mark]


class Checksum(msgspec.Struct, frozen=True):
    """Tells a file that a crash or a bad disk has changed from a whole one."""

    size: int  # in bytes
    crc32: int

    @classmethod
    def of(cls, data: bytes) -> Self:
        return cls(len(data), zlib.crc32(data))

    def fits(self, data: bytes) -> bool:
        return len(data) == self.size and zlib.crc32(data) == self.crc32


class _Metadata(msgspec.Struct, frozen=True):
    """Lies beside a segment's audio, so that its length needs no decoding. Old ones have no checksum of the FLAC."""

    samples: int
    sample_rate: int
    marks: list[Mark]
    flac: Checksum | None = None


class AudioCache:
    """Eviction may delete the objects of a segment at any moment: the segment then counts as not cached.

    So does what cannot be read, or is not what was written. The holder of the segment's lease deletes it.
    """

    def __init__(self, store: Store, threads: PriorityThreads, cache_index: CacheIndex) -> None:
        self._store = store
        self._threads = threads
        self._index = cache_index

    async def lookup(self, keys: Sequence[str]) -> dict[str, Length]:
        """Returns the lengths of the segments that are cached, by one query; while the database is away, by the store.

        The store may say otherwise than the index: what is then found missing is made again.
        """
        distinct = list(dict.fromkeys(keys))
        try:
            found = await self._index.lookup(distinct)
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("lengths of cached audio are read from the store", error=str(error))
            found = await self._lengths_in_store(distinct)
        for key in found:
            self._index.note(key)
        return found

    async def read(self, key: str, *, leased: bool = False) -> CachedAudio | None:
        """Returns None if the segment is not cached.

        ``leased``: the caller holds the segment's lease, so that what cannot be read is not just being written.
        """
        data, metadata = await asyncio.gather(
            self._store.read(path_of(key, ORIGINAL)), self._store.read(path_of(key, METADATA))
        )
        if data is None and metadata is None:
            return None
        try:
            audio = await self._threads.run(_restored, data, metadata)
        except (UnreadableAudioError, msgspec.MsgspecError) as error:
            if leased:
                log.warning("cached audio cannot be read and is made anew", segment=key, error=str(error))
                await self._discard(key)
            return None
        self._index.note(key, Length(len(audio.samples), audio.sample_rate))
        return audio

    async def write(self, key: str, audio: CachedAudio) -> None:
        """For the holder of the segment's lease. Raises `StoreFailed`."""
        data = await self._threads.encode(_WRITE_SLACK, encode_whole, audio.samples, ORIGINAL, audio.sample_rate)
        facts = _Metadata(len(audio.samples), audio.sample_rate, audio.marks, Checksum.of(data))
        metadata = msgspec.json.encode(facts)
        await self._store.write(path_of(key, ORIGINAL), data, CONTAINERS[ORIGINAL].content_type)
        # Last, so that what the metadata names exists.
        await self._store.write(path_of(key, METADATA), metadata, "application/json")
        length = Length(facts.samples, facts.sample_rate)
        await self._index.made(key, {ORIGINAL: len(data), METADATA: len(metadata)}, length)

    async def encoded(self, key: str, sound: Sound) -> bytes | None:
        """Returns a complete file with exact headers, made from the FLAC at the first request; None if not cached."""
        stored, checksum = await asyncio.gather(
            self._store.read(path_of(key, sound.suffix)), self._checksum(key, sound.suffix)
        )
        if stored is not None and checksum is not None:
            if checksum.fits(stored):
                self._index.note(key)
                return stored
            log.warning("a cached file is not what was written", segment=key, suffix=sound.suffix)
        if sound.suffix == ORIGINAL:
            # Written before there were checksums, or not cached at all.
            return stored if stored is not None and checksum is None and await self.read(key) is not None else None
        made = await self._encode(key, sound)
        if made is not None:
            await self._add(key, sound, made)
        return made

    async def in_store(self, key: str, sound: Sound, *, again_after: float) -> bool:
        """Returns whether the store has such a file and will not lose it soon; makes it from the FLAC if need be.

        False also where that is unknown: `encoded` then says more. ``again_after``: see `CacheIndex.hold`. Only the
        file's size is compared with what was written, as another server is to send it.
        """
        if not await self._index.hold(key, again_after=again_after):
            return False
        size, checksum = await asyncio.gather(
            self._store.size(path_of(key, sound.suffix)), self._checksum(key, sound.suffix)
        )
        if size is not None and checksum is not None and size == checksum.size:
            return True
        if sound.suffix == ORIGINAL:
            return False
        made = await self._encode(key, sound)
        return made is not None and await self._add(key, sound, made)

    async def _encode(self, key: str, sound: Sound) -> bytes | None:
        audio = await self.read(key)
        if audio is None:
            return None
        return await self._threads.run(
            encode_whole, audio.samples, sound.audio_format, audio.sample_rate, sound.sample_rate
        )

    async def _add(self, key: str, sound: Sound, data: bytes) -> bool:
        """Stores an encoding and returns whether that worked; if not, the next request encodes it again.

        The index is written first, which holds off an eviction, and the FLAC must still exist: no encoding may outlive
        its segment and lie beside a later synthesis of it.
        """
        suffix, checksum = f"{sound.suffix}.{CHECKSUM}", msgspec.json.encode(Checksum.of(data))
        try:
            if not await self._index.add(key, {sound.suffix: len(data), suffix: len(checksum)}):
                return False
            if not await self._store.has(path_of(key, ORIGINAL)):
                await self._index.forget_remnant(key, ORIGINAL)
                return False
            await self._store.write(path_of(key, suffix), checksum, "application/json")
            await self._store.write(path_of(key, sound.suffix), data, sound.content_type)
        except StoreFailed:
            metrics.STORE_FAILURES.inc()
            log.exception("an encoding could not be stored", segment=key)
            return False
        return True

    async def _discard(self, key: str) -> None:
        """Deletes all objects of the segment: no encoding may lie beside a later synthesis of it."""
        try:
            listed = await self._store.list(path_of(key, METADATA).rpartition("/")[0])
            paths = [stored.path for stored in listed if (parse_path(stored.path) or ("",))[0] == key]
            await self._store.delete(sorted(paths, key=lambda path: path != path_of(key, METADATA)))
        except StoreFailed:
            # New audio takes its place; only an old encoding may stay.
            metrics.STORE_FAILURES.inc()
            log.exception("cached audio that cannot be read could not be deleted", segment=key)
        else:
            await self._index.forget(key)

    async def _checksum(self, key: str, suffix: str) -> Checksum | None:
        """Returns None if it is not cached, or was written before there were checksums."""
        if suffix == ORIGINAL:
            metadata = await self._metadata(key)
            return None if metadata is None else metadata.flac
        data = await self._store.read(path_of(key, f"{suffix}.{CHECKSUM}"))
        return None if data is None else _decoded(data, Checksum)

    async def _lengths_in_store(self, keys: Sequence[str]) -> dict[str, Length]:
        at_once = asyncio.Semaphore(_READS_AT_ONCE)

        async def length(key: str) -> Length | None:
            async with at_once:
                metadata, size = await asyncio.gather(self._metadata(key), self._store.size(path_of(key, ORIGINAL)))
            if metadata is None or size is None or (metadata.flac is not None and metadata.flac.size != size):
                return None
            return Length(metadata.samples, metadata.sample_rate)

        lengths = await asyncio.gather(*(length(key) for key in keys))
        return {key: length for key, length in zip(keys, lengths, strict=True) if length is not None}

    async def _metadata(self, key: str) -> _Metadata | None:
        data = await self._store.read(path_of(key, METADATA))
        return None if data is None else _decoded(data, _Metadata)


def _decoded(data: bytes, kind: type[T]) -> T | None:
    """Returns None for what a crash or a bad disk has changed."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError:
        return None


def _restored(data: bytes | None, metadata: bytes | None) -> CachedAudio:
    """Raises `UnreadableAudioError` or `MsgspecError` unless both are what was written."""
    if data is None or metadata is None:
        raise UnreadableAudioError("Half of it is gone.")
    facts = msgspec.json.decode(metadata, type=_Metadata)
    if facts.flac is not None and not facts.flac.fits(data):
        raise UnreadableAudioError("The file is not what was written.")
    samples, rate = decode(data)
    if (len(samples), rate) != (facts.samples, facts.sample_rate):
        raise UnreadableAudioError(f"The file has {len(samples)} samples at {rate} Hz, and others were written.")
    return CachedAudio(samples, rate, facts.marks)
