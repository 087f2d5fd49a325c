"""The cached audio of segments: one file for each key, and the encodings that were asked for beside it."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import structlog

from orchestrator.audio.decoding import UnreadableAudioError
from orchestrator.audio.encoding import encode_whole
from orchestrator.audio.formats import CONTAINERS
from orchestrator.lib import metrics
from orchestrator.lib.database import is_outage
from orchestrator.lib.object_store import Store, StoreFailed
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.speech.cache.index import CacheIndex, Checksum
from orchestrator.speech.cache.names import ORIGINAL, AudioName, path_of
from orchestrator.speech.cache.segment_file import LENGTH_BYTES, CachedAudio, Length, pack, read_length, unpack

_WRITE_SLACK: Final = 10.0  # seconds within which new audio should be on its way to the store
_READS_AT_ONCE: Final = 16  # while the store is asked in place of the index

log = structlog.stdlib.get_logger("lectern.cache")


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
            found = await lengths_in_store(self._store, distinct)
        for key in found:
            self._index.note(key)
        return found

    async def length(self, key: str) -> Length | None:
        """Returns the length of a segment that was just sent, without a query. None if it is not cached."""
        return self._index.remembered_length(key) or (await self.lookup([key])).get(key)

    async def read(self, key: str, *, leased: bool = False) -> CachedAudio | None:
        """Returns None if the segment is not cached.

        ``leased``: the caller holds the segment's lease, so that what cannot be read is not just being written.
        """
        began = time.monotonic()
        data = await self._store.read(path_of(key, ORIGINAL))
        if data is None:
            self._index.note_missing(key, since=began)
            return None
        try:
            audio = await self._threads.run(unpack, data)
        except UnreadableAudioError as error:
            if leased:
                log.warning("cached audio cannot be read and is made anew", segment=key, error=str(error))
                await self._discard(key)
            return None
        self._index.note(key, audio.length)
        return audio

    async def write(self, key: str, audio: CachedAudio) -> None:
        """For the holder of the segment's lease. Raises `StoreFailed`."""
        data = await self._threads.encode(_WRITE_SLACK, pack, audio)
        await self._store.write(path_of(key, ORIGINAL), data, CONTAINERS[ORIGINAL].content_type)
        outdated = await self._index.made(key, Checksum.of(data), audio.length)
        await self._delete(key, outdated)

    async def encoded(self, name: AudioName) -> bytes | None:
        """Returns a complete file with exact headers, made from the FLAC at the first request; None if not cached."""
        key, suffix = name.key, name.suffix
        stored = await self._store.read(path_of(key, suffix))
        if stored is not None:
            if await self._index.vouches(key, suffix, Checksum.of(stored)):
                self._index.note(key)
                return stored
            log.warning("a cached file is not what was written, or never indexed", segment=key, suffix=suffix)
        made = await self._encode(name)
        if made is not None:
            await self._add(name, made)
        return made

    async def in_store(self, name: AudioName, *, again_after: float) -> bool:
        """Returns whether the store has such a file and will not lose it soon; makes it from the FLAC if need be.

        False also where that is unknown: `encoded` then says more. ``again_after``: see `CacheIndex.hold`. Only the
        file's size is compared with what was written, as another server is to send it.
        """
        key, suffix = name.key, name.suffix
        if not await self._index.hold(key, again_after=again_after):
            return False
        size = await self._store.size(path_of(key, suffix))
        if size is not None and await self._index.vouches_for_size(key, suffix, size):
            return True
        made = await self._encode(name)
        return made is not None and await self._add(name, made)

    async def _encode(self, name: AudioName) -> bytes | None:
        audio = await self.read(name.key)
        if audio is None:
            return None
        if name.suffix == ORIGINAL:
            return await self._threads.run(pack, audio)
        return await self._threads.run(_encoded, audio, name)

    async def _add(self, name: AudioName, data: bytes) -> bool:
        """Stores an encoding and returns whether that worked; if not, the next request encodes it again.

        The index is written first, which holds off an eviction, and the FLAC must still exist: no encoding may outlive
        its segment and lie beside a later synthesis of it.
        """
        key, suffix = name.key, name.suffix
        try:
            if not await self._index.add(key, suffix, Checksum.of(data)):
                return False
            if not await self._store.has(path_of(key, ORIGINAL)):
                await self._index.forget_remnant(key, ORIGINAL)
                return False
            await self._store.write(path_of(key, suffix), data, name.sound.content_type)
        except StoreFailed:
            metrics.STORE_FAILURES.inc()
            log.exception("an encoding could not be stored", segment=key)
            return False
        return True

    async def _discard(self, key: str) -> None:
        """Deletes the segment, and its encodings with it: none may lie beside a later synthesis of it."""
        await self._delete(key, {ORIGINAL, *await self._index.forget(key)})

    async def _delete(self, key: str, suffixes: set[str]) -> None:
        try:
            await self._store.delete([path_of(key, suffix) for suffix in sorted(suffixes)])
        except StoreFailed:
            # Nothing vouches for them any more, and new ones take their place.
            metrics.STORE_FAILURES.inc()
            log.exception("outdated audio could not be deleted", segment=key)


def _encoded(audio: CachedAudio, name: AudioName) -> bytes:
    heard = name.rendition.of(audio)
    return encode_whole(heard, name.sound.audio_format, audio.sample_rate, name.sound.sample_rate)


async def lengths_in_store(store: Store, keys: Sequence[str]) -> dict[str, Length]:
    """Reads the beginning of each segment's file. A segment that cannot be read has no length."""
    at_once = asyncio.Semaphore(_READS_AT_ONCE)

    async def length(key: str) -> Length | None:
        try:
            async with at_once:
                beginning = await store.read(path_of(key, ORIGINAL), first=LENGTH_BYTES)
            return None if beginning is None else read_length(beginning)
        except (StoreFailed, UnreadableAudioError) as error:
            log.warning("the length of cached audio cannot be read", segment=key, error=repr(error))
            return None

    lengths = await asyncio.gather(*(length(key) for key in keys))
    return {key: length for key, length in zip(keys, lengths, strict=True) if length is not None}
