"""The recordings of prompts: in the object store, and those used last in memory too.

The cleanup deletes recordings without a voice, which are left when a process dies while it creates or deletes a voice,
or when an account is deleted. People's recordings must not lie about. The worker runs it periodically.
"""

from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

import structlog

from orchestrator.audio.decoding import decode
from orchestrator.audio.encoding import encode_whole
from orchestrator.audio.formats import CONTAINERS
from orchestrator.audio.pcm import Samples
from orchestrator.lib.errors.problems import NotFound
from orchestrator.lib.object_store import Store
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.voices.custom import queries
from orchestrator.voices.custom.recording_validation import RATE
from orchestrator.voices.names import voice_id

CONTENT_TYPE: Final = CONTAINERS["flac"].content_type
_FOLDER: Final = "voices"
_SETTLED: Final = timedelta(hours=1)  # after which the voice of a recording is created, or never will be

log = structlog.stdlib.get_logger("lectern.voices")


class PromptStore:
    """Each voice has its own object, so that deleting the voice deletes it, even if others sent the same recording."""

    def __init__(self, store: Store, threads: PriorityThreads, memory_bytes: int) -> None:
        self._store = store
        self._threads = threads
        self._free_bytes = memory_bytes
        self._cached: OrderedDict[UUID, Samples] = OrderedDict()  # least recently used first

    async def encode(self, samples: Samples) -> bytes:
        return await self._threads.run(encode_whole, samples, "flac", RATE)

    async def write(self, voice: UUID, recording: bytes) -> None:
        """Raises `StoreFailed`."""
        await self._store.write(_path(voice), recording, CONTENT_TYPE)

    async def read(self, voice: UUID) -> bytes:
        """Returns the FLAC file. Raises `NotFound` or `StoreFailed`."""
        recording = await self._store.read(_path(voice))
        if recording is None:
            raise NotFound(f"The recording of the voice {voice} is gone. Delete the voice, and make it anew.")
        return recording

    async def samples(self, voice: UUID) -> Samples:
        """Raises `NotFound` or `StoreFailed`."""
        if voice in self._cached:
            self._cached.move_to_end(voice)
            return self._cached[voice]
        samples, _ = await self._threads.run(decode, await self.read(voice))
        samples.setflags(write=False)
        self._cache(voice, samples)
        return samples

    async def delete(self, voice: UUID) -> None:
        """Deletes a recording; requests that have its samples go on with them. Raises `StoreFailed`."""
        if (samples := self._cached.pop(voice, None)) is not None:
            self._free_bytes += samples.nbytes
        await self._store.delete([_path(voice)])

    async def list_all(self) -> dict[UUID, datetime]:
        """Returns the voices that have a recording, and when it was written. Raises `StoreFailed`."""
        found = {voice_id(PurePosixPath(file.path).stem): file.written_at for file in await self._store.list(_FOLDER)}
        return {voice: written_at for voice, written_at in found.items() if voice is not None}

    def _cache(self, voice: UUID, samples: Samples) -> None:
        if voice in self._cached:  # another request was faster
            return
        self._cached[voice] = samples
        self._free_bytes -= samples.nbytes
        while self._free_bytes < 0:
            _, dropped = self._cached.popitem(last=False)
            self._free_bytes += dropped.nbytes


class PromptCleanup:
    """Deletes recordings without a voice."""

    def __init__(self, prompts: PromptStore) -> None:
        self._prompts = prompts

    async def run(self) -> None:
        """Deletes the recordings without a voice. Raises `StoreFailed`."""
        before = datetime.now(UTC) - _SETTLED
        settled = [voice for voice, written_at in (await self._prompts.list_all()).items() if written_at < before]
        known = await queries.existing(settled)
        orphaned = [voice for voice in settled if voice not in known]
        for voice in orphaned:
            await self._prompts.delete(voice)
        if orphaned:
            log.warning("recordings without a voice deleted", recordings=len(orphaned))


def _path(voice: UUID) -> str:
    return f"{_FOLDER}/{voice}.flac"
