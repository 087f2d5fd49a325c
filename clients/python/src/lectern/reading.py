"""Reads a text aloud into one file through the REST API, and tells how far it is."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal, Protocol

from lectern.errors import LecternError
from lectern.rest.aio import AsyncClient
from lectern.types import AudioFormat, Block, Document, DocumentFormat
from lectern.voicing import Voicing

Stage = Literal["preparing", "speaking", "collecting"]


@dataclass(frozen=True, slots=True)
class Progress:
    stage: Stage
    blocks_done: int = 0
    blocks: int = 0
    audio_seconds: float = 0.0  # of the blocks done
    elapsed_seconds: float = 0.0  # since the first block was asked for; at the end, with the writing of the file
    bytes_written: int = 0

    @property
    def times_real_time(self) -> float:
        return self.audio_seconds / self.elapsed_seconds if self.elapsed_seconds else 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    document: Document
    progress: Progress  # at the end


class Output(Protocol):
    def write(self, data: bytes, /) -> int: ...


OnProgress = Callable[[Progress], None]


async def read_aloud(
    client: AsyncClient,
    text: str,
    output: Output,
    *,
    title: str | None = None,
    document_format: DocumentFormat = "markdown",
    voicing: Voicing | None = None,
    audio_format: AudioFormat = "opus",
    loudness: float | None = None,
    at_once: int = 4,
    on_progress: OnProgress = lambda _: None,
) -> Reading:
    """Makes a document of the text, has its blocks spoken `at_once` at a time, and writes the whole to `output`.

    `loudness` is in LUFS. The document stays on the server. Raises LecternError, or OSError from `output`.
    """
    on_progress(Progress("preparing"))
    created = await client.create_document(text, title=title, document_format=document_format)
    document = await client.wait_until_ready(created.id)
    # A block without spoken text, such as code, is shown and not read.
    blocks = [block async for block in client.blocks(document.id) if block.spoken]
    if not blocks:
        raise LecternError(f"document {document.id} holds nothing that is read aloud")
    speaking = _Speaking(client, document, blocks, voicing, on_progress)
    await speaking.run(at_once)
    written = 0
    chunks = client.stream_document_audio(document.id, voicing, audio_format=audio_format, loudness=loudness)
    async with aclosing(chunks):
        async for chunk in chunks:
            await asyncio.to_thread(output.write, chunk)
            written += len(chunk)
            on_progress(speaking.progress("collecting", written))
    return Reading(document, speaking.progress("collecting", written))


class _Speaking:
    def __init__(
        self,
        client: AsyncClient,
        document: Document,
        blocks: Sequence[Block],
        voicing: Voicing | None,
        on_progress: OnProgress,
    ) -> None:
        self._client = client
        self._document = document
        self._blocks = blocks
        self._voicing = voicing
        self._on_progress = on_progress
        self._done = 0
        self._audio = 0.0
        self._start = time.monotonic()

    def progress(self, stage: Stage, written: int = 0) -> Progress:
        elapsed = time.monotonic() - self._start
        return Progress(stage, self._done, len(self._blocks), self._audio, elapsed, written)

    async def run(self, at_once: int) -> None:
        self._on_progress(self.progress("speaking"))
        waiting = iter(self._blocks)  # shared: each worker takes the next block in reading order
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(at_once):
                    workers.create_task(self._work(waiting))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None  # the first ends the reading; the others only followed it

    async def _work(self, waiting: Iterator[Block]) -> None:
        for block in waiting:
            seconds = await self._client.make_block_audio(self._document.id, block.id, self._voicing)
            self._done += 1
            self._audio += block.estimated_seconds if seconds is None else seconds
            self._on_progress(self.progress("speaking"))
