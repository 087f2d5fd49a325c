"""Encoded references, looked up in memory, then on disk, then encoded by the codec."""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from lectern_triton.higgs_engine.codebooks import Codes
from lectern_triton.higgs_engine.driver import BadRequest
from lectern_triton.higgs_engine.messages import RATE
from lectern_triton.higgs_engine.references.disk import DiskCache

SAMPLE: Final = 2  # bytes
SHORTEST: Final = RATE // 2  # samples

Encode = Callable[[bytes], Codes]
"""Encodes samples in the format of `messages`. It blocks, and one thread at a time calls it."""


class ReferenceCache:
    """Encodes each recording once. One event loop calls all methods; requests with the same recording share a task.

    `identity` is the codec's: the same codes mean another voice to another codec. `limit` is the bytes of codes that
    are kept in memory.
    """

    def __init__(self, encode: Encode, identity: str, disk: DiskCache | None, limit: int) -> None:
        self._encode = encode
        self._identity = identity.encode()
        self._disk = disk
        self._limit = limit
        self._memory: OrderedDict[str, Codes] = OrderedDict()
        self._held = 0
        self._working: dict[str, asyncio.Task[Codes]] = {}
        self._thread = ThreadPoolExecutor(1, "references")

    async def codes(self, samples: bytes, *, keep: bool = True) -> Codes:
        """Returns the codes of a recording. Raises BadRequest.

        `keep` also stores them on disk, as for a voice; previous speech is not worth that.
        """
        if len(samples) % SAMPLE or len(samples) < SHORTEST * SAMPLE:
            raise BadRequest(f"a recording must be samples of 16 bits, and last at least {SHORTEST / RATE} seconds")
        key = hashlib.sha256(self._identity + b"\0" + samples).hexdigest()
        if (found := self._memory.get(key)) is not None:
            self._memory.move_to_end(key)
            return found
        if (work := self._working.get(key)) is None:
            work = asyncio.create_task(self._make(key, samples, keep=keep), name="encode a reference")
            self._working[key] = work
            work.add_done_callback(lambda done: self._made(key, done))
        return await asyncio.shield(work)  # a request that is cancelled must not cancel the encoding of others

    async def close(self) -> None:
        """Cancels what waits; an encoding that runs is not waited for."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        working = list(self._working.values())
        for work in working:
            work.cancel()
        await asyncio.gather(*working, return_exceptions=True)

    async def _make(self, key: str, samples: bytes, *, keep: bool) -> Codes:
        disk = self._disk if keep else None

        def make() -> Codes:
            found = disk.read(key) if disk else None
            if found is None:
                found = self._encode(samples)
                if disk:
                    disk.write(key, found)
            found.setflags(write=False)
            return found

        return await asyncio.get_running_loop().run_in_executor(self._thread, make)

    def _made(self, key: str, work: asyncio.Task[Codes]) -> None:
        del self._working[key]
        if work.cancelled() or work.exception() is not None:
            return
        codes = work.result()
        self._memory[key] = codes
        self._held += codes.nbytes
        while self._held > self._limit:
            _, oldest = self._memory.popitem(last=False)
            self._held -= oldest.nbytes
