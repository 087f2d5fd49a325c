"""Where the samples of prompts are: in the store, and of those used last in memory too."""

from collections import OrderedDict
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

from orchestrator.audio.decoding import decode
from orchestrator.audio.encoding import encode_whole
from orchestrator.audio.formats import CONTAINERS
from orchestrator.audio.pcm import Samples
from orchestrator.lib.errors.problems import NotFound
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.lib.store import Store
from orchestrator.voices.custom.examination import RATE
from orchestrator.voices.custom.names import voice_id

CONTENT_TYPE: Final = CONTAINERS["flac"].content_type
FOLDER: Final = "voices"


class Prompts:
    """Each has an object of its own, so that it goes with its voice, whoever else has sent the same recording."""

    def __init__(self, store: Store, threads: PriorityThreads, memory_bytes: int) -> None:
        self._store = store
        self._threads = threads
        self._room = memory_bytes
        self._used: OrderedDict[UUID, Samples] = OrderedDict()  # the last one was used last

    async def encode(self, samples: Samples) -> bytes:
        return await self._threads.run(encode_whole, samples, "flac", RATE)

    async def write(self, voice: UUID, recording: bytes) -> None:
        """Raises `StoreFailed`."""
        await self._store.write(_path(voice), recording, CONTENT_TYPE)

    async def read(self, voice: UUID) -> bytes:
        """The FLAC file. Raises `NotFound` or `StoreFailed`."""
        recording = await self._store.read(_path(voice))
        if recording is None:
            raise NotFound(f"The recording of the voice {voice} is gone. Delete the voice, and make it anew.")
        return recording

    async def samples(self, voice: UUID) -> Samples:
        """Raises `NotFound` or `StoreFailed`."""
        if voice in self._used:
            self._used.move_to_end(voice)
            return self._used[voice]
        samples, _ = await self._threads.run(decode, await self.read(voice))
        samples.setflags(write=False)
        self._remember(voice, samples)
        return samples

    async def delete(self, voice: UUID) -> None:
        """Whoever has its samples goes on with them. Raises `StoreFailed`."""
        if (samples := self._used.pop(voice, None)) is not None:
            self._room += samples.nbytes
        await self._store.delete([_path(voice)])

    async def listed(self) -> dict[UUID, datetime]:
        """Every voice that the store has a recording of, and when it was written. Raises `StoreFailed`."""
        found = {voice_id(PurePosixPath(one.path).stem): one.written_at for one in await self._store.list(FOLDER)}
        return {voice: written_at for voice, written_at in found.items() if voice is not None}

    def _remember(self, voice: UUID, samples: Samples) -> None:
        if voice in self._used:  # somebody was faster
            return
        self._used[voice] = samples
        self._room -= samples.nbytes
        while self._room < 0:
            _, dropped = self._used.popitem(last=False)
            self._room += dropped.nbytes


def _path(voice: UUID) -> str:
    return f"{FOLDER}/{voice}.flac"
