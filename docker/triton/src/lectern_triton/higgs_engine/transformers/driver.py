"""The driver on transformers: one model, one codec, and the references that requests share."""

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from importlib.metadata import version
from threading import Event
from typing import Final

import numpy as np

from lectern_triton.higgs_engine.codebooks import CODEBOOKS, Row, frames_in, undelayed
from lectern_triton.higgs_engine.codec import Codec
from lectern_triton.higgs_engine.driver import BadRequest, OutOfFrames
from lectern_triton.higgs_engine.messages import FRAME, Ready, Recording, Speak
from lectern_triton.higgs_engine.pcm import to_pcm
from lectern_triton.higgs_engine.prompts.v2 import Prompt, Prompts, Spoken
from lectern_triton.higgs_engine.references.cache import ReferenceCache
from lectern_triton.higgs_engine.transformers.decode_windows import DecodeWindow, DecodeWindows
from lectern_triton.higgs_engine.transformers.talker import Talker, is_end

ROWS: Final = CODEBOOKS + 1  # rows in addition to the frames: the begin, the delay, and the end


class TransformersDriver:
    """`positions` is the most positions of a prompt and its speech together."""

    def __init__(
        self, talker: Talker, codec: Codec, prompts: Prompts, references: ReferenceCache, positions: int
    ) -> None:
        self.ready = Ready(family="v2", version=f"transformers {version('transformers')}", streams=True, seeds=True)
        self._talker = talker
        self._codec = codec
        self._prompts = prompts
        self._references = references
        self._positions = positions
        self._turns = ThreadPoolExecutor(1, "talker")  # requests wait here for their turn
        self._stops: set[Event] = set()

    async def speak(self, request: Speak) -> AsyncGenerator[bytes, None]:
        prompt = await self._prompt(request)
        windows = DecodeWindows()
        rows: list[Row] = []
        ended = False
        async with aclosing(self._rows(prompt, request)) as made:
            async for row in made:
                ended = is_end(row)
                if ended:
                    break
                rows.append(row)
                for window in windows.ready(min(frames_in(len(rows)), request.max_frames), ended=False):
                    yield await asyncio.to_thread(self._sound, rows, window)
        for window in windows.ready(min(frames_in(len(rows)), request.max_frames), ended=True):
            yield await asyncio.to_thread(self._sound, rows, window)
        if not ended:
            raise OutOfFrames

    async def check(self) -> None:
        await asyncio.to_thread(self._talker.probe)

    async def close(self) -> None:
        for stop in self._stops:
            stop.set()
        await self._references.close()
        await asyncio.to_thread(self._turns.shutdown, cancel_futures=True)

    async def _prompt(self, request: Speak) -> Prompt:
        before = [await self._spoken(request.reference, keep=True)]
        if request.previous:
            before.append(await self._spoken(request.previous, keep=False))
        prompt = self._prompts.build(request.text, request.scene, before)
        needed = len(prompt.ids) + request.max_frames + ROWS
        if needed > self._positions:
            raise BadRequest(
                f"text and recordings take up to {needed} places with the speech, and the model has {self._positions}: "
                "send a shorter recording or a shorter text"
            )
        return prompt

    async def _spoken(self, recording: Recording, *, keep: bool) -> Spoken:
        return Spoken(recording.text, await self._references.codes(recording.samples, keep=keep))

    async def _rows(self, prompt: Prompt, request: Speak) -> AsyncGenerator[Row, None]:
        """Yields the rows that the model makes in its thread. Closing the generator stops the model at the next row."""
        loop = asyncio.get_running_loop()
        made: asyncio.Queue[Row | asyncio.Future[None]] = asyncio.Queue()
        stop = Event()

        def tell(row: Row) -> None:
            loop.call_soon_threadsafe(made.put_nowait, row)

        def turn() -> None:
            if not stop.is_set():
                self._talker.talk(prompt, request.sampling, request.max_frames + ROWS, tell, stop)

        work = loop.run_in_executor(self._turns, turn)
        work.add_done_callback(made.put_nowait)
        self._stops.add(stop)
        try:
            while isinstance(row := await made.get(), tuple):
                yield row
            row.result()
        finally:
            stop.set()
            work.cancel()  # if it has not begun
            self._stops.discard(stop)

    def _sound(self, rows: list[Row], window: DecodeWindow) -> bytes:
        codes = undelayed(np.array(rows[: window.right + CODEBOOKS]), window.left, window.right)
        audio = self._codec.decode(codes)
        return to_pcm(audio[(window.first - window.left) * FRAME : (window.last - window.left) * FRAME])
