"""Reads a document aloud into one file through the REST API, and reports progress."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal, Protocol

from lectern.errors import ApiError, LecternError
from lectern.rest.aio import AsyncClient
from lectern.types import AudioFormat, Block, Document, DocumentFormat
from lectern.voicing import Skip, Voicing

REFUSED: Final = HTTPStatus.BAD_REQUEST
FAILED: Final = HTTPStatus.BAD_GATEWAY  # the model itself failed, and not the server or the way to it

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
class FailedBlock:
    """A block that could not be spoken, and is not in the audio."""

    number: int  # from 1, among the blocks that are read aloud
    block: Block
    error: ApiError


@dataclass(frozen=True, slots=True)
class Reading:
    document: Document
    progress: Progress  # at the end
    failed: Sequence[FailedBlock] = ()  # in reading order
    skip: Skip | None = None  # the `skip` that the audio was made with, for captions that match it


class Output(Protocol):
    def write(self, data: bytes, /) -> int: ...


OnProgress = Callable[[Progress], None]
OnFailed = Callable[[FailedBlock], None]


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
    on_failed: OnFailed = lambda _: None,
) -> Reading:
    """Makes a document of the text, has its blocks spoken `at_once` at a time, and writes the whole to `output`.

    A block that the model refuses, or fails at, is left out and passed to `on_failed`. `loudness` is in LUFS. The
    document stays on the server. Raises LecternError, also if no block can be spoken, or OSError from `output`.
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
    failed = speaking.failed
    if len(failed) == len(blocks):
        raise failed[0].error
    for one in failed:
        on_failed(one)
    skip: Skip | None = "failed" if any(one.error.status == FAILED for one in failed) else None
    written = 0
    chunks = client.stream_document_audio(document.id, voicing, audio_format=audio_format, loudness=loudness, skip=skip)
    async with aclosing(chunks):
        async for chunk in chunks:
            await asyncio.to_thread(output.write, chunk)
            written += len(chunk)
            on_progress(speaking.progress("collecting", written))
    return Reading(document, speaking.progress("collecting", written), failed, skip)


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
        self._failed: list[FailedBlock] = []
        self._start = time.monotonic()

    def progress(self, stage: Stage, written: int = 0) -> Progress:
        elapsed = time.monotonic() - self._start
        return Progress(stage, self._done, len(self._blocks), self._audio, elapsed, written)

    @property
    def failed(self) -> list[FailedBlock]:
        return sorted(self._failed, key=lambda one: one.number)

    async def run(self, at_once: int) -> None:
        self._on_progress(self.progress("speaking"))
        waiting = enumerate(self._blocks, 1)  # shared: each worker takes the next block in reading order
        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(at_once):
                    workers.create_task(self._work(waiting))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None  # the first ends the reading; the others only followed it

    async def _work(self, waiting: Iterator[tuple[int, Block]]) -> None:
        for number, block in waiting:
            try:
                seconds = await self._client.make_block_audio(self._document.id, block.id, self._voicing)
            except ApiError as error:
                if not _concerns_one_block(error):
                    raise
                self._failed.append(FailedBlock(number, block, error))
                continue
            self._done += 1
            self._audio += block.estimated_seconds if seconds is None else seconds
            self._on_progress(self.progress("speaking"))


def _concerns_one_block(error: ApiError) -> bool:
    """Returns whether other blocks can still be spoken. An error that names fields is in the options of all blocks."""
    return error.status in (REFUSED, FAILED) and not error.errors
