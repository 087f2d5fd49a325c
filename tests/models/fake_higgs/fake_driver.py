"""An engine without a model: hums at the pitch of its reference, a second for every ten characters of its text.

Frames of 960 samples, as Higgs has them. Words in braces, in the text or the scene, are orders and are not hummed:
{delay=0.05} seconds before each tenth of a second, {fail_after=N} {exit_after=N} {hang_after=N} {stall_after=N}
{hold_after=N} after so many of them, {lose=N} a message on the wire, {odd} half a sample, {refuse}, {trouble} from now
on, {endless}.

Delays and holds are waited for in short steps, each of which is noted; {steps_since=TIME} is refused with a JSON list,
for each slow request whose text has this one's words in it, of [whether it was closed, its steps after TIME]. TIME is
`time.monotonic()`, which all processes of a machine share.
"""

import array
import asyncio
import json
import math
import os
import re
import sys
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

from lectern_triton.higgs_engine import messages
from lectern_triton.higgs_engine.driver import BadRequest, OutOfFrames, Phase

STEP = 0.01  # seconds
CHUNK = messages.RATE // 10
REMEMBERED = 256

_ORDER = re.compile(r"\{(\w+)(?:=([\d.]+))?\}")


@dataclass
class Request:
    """What became of one that is slow."""

    text: str
    steps: list[float] = field(default_factory=list)
    closed: bool = False


class FakeDriver:
    def __init__(self, arguments: Mapping[str, Any]) -> None:
        family = arguments.get("family", "v2")
        self._streams = arguments.get("streams", True)
        self.ready = messages.Ready(family=family, version="fake-1", streams=self._streams, seeds=True)
        self._slow: deque[Request] = deque(maxlen=REMEMBERED)
        self._losses: dict[int, int] = {}
        self._trouble = False
        self._lose_on_the_wire()

    async def speak(self, request: messages.Speak) -> AsyncGenerator[bytes, None]:
        orders = {name: float(value or 0) for name, value in _ORDER.findall(f"{request.text} {request.scene}")}
        text = _ORDER.sub("", request.text).strip()
        if "refuse" in orders:
            raise BadRequest("the fake engine refuses when asked to")
        if "steps_since" in orders:
            raise BadRequest(json.dumps(self._report(text, orders["steps_since"])))
        self._trouble = self._trouble or "trouble" in orders
        if "lose" in orders:
            self._losses[request.id] = int(orders["lose"])
        slow = Request(text)
        if {"delay", "hold_after"} & {*orders}:
            self._slow.append(slow)
        try:
            async for chunk in self._hum(request, text, orders, slow):
                yield chunk
        finally:
            slow.closed = True

    async def _hum(
        self, request: messages.Speak, text: str, orders: dict[str, float], slow: Request
    ) -> AsyncGenerator[bytes, None]:
        frames = 10**9 if "endless" in orders else max(13, math.ceil(len(text) / 10 * messages.RATE / messages.FRAME))
        whole = bytearray()
        first = request.sampling.seed * 100  # another seed is another begin
        for number, length in enumerate(_chunks(min(frames, request.max_frames) * messages.FRAME)):
            await self._obey(number, orders, slow)
            model = request.previous if request.previous and not number else request.reference
            wave = hum(pitch(model.samples))
            begin = first % messages.RATE
            chunk = (wave[2 * begin :] + wave)[: 2 * length]
            first += length
            whole += chunk
            if self._streams:
                yield chunk[:-1] if "odd" in orders else chunk
        if not self._streams:
            yield bytes(whole)
        if frames > request.max_frames:
            raise OutOfFrames

    async def _obey(self, number: int, orders: dict[str, float], slow: Request) -> None:
        def due(order: str) -> bool:
            return orders.get(order) == number

        if due("exit_after"):
            os._exit(7)
        if due("hang_after"):
            time.sleep(3_600)  # noqa: ASYNC251 - this is what a hung loop is
        if due("stall_after"):
            await asyncio.Event().wait()
        while due("hold_after"):
            await asyncio.sleep(STEP)
            slow.steps.append(time.monotonic())
        if due("fail_after"):
            raise RuntimeError("the fake engine fails when asked to")
        until = time.monotonic() + orders.get("delay", 0)
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(STEP, left))
            slow.steps.append(time.monotonic())

    async def check(self) -> None:
        if self._trouble:
            raise RuntimeError("the fake engine is in trouble")

    async def close(self) -> None:
        pass

    def _report(self, text: str, since: float) -> list[tuple[bool, int]]:
        return [(one.closed, sum(at > since for at in one.steps)) for one in list(self._slow) if text in one.text]

    def _lose_on_the_wire(self) -> None:
        write = asyncio.StreamWriter.write

        def lossy(writer: asyncio.StreamWriter, data: bytes) -> None:
            if self._losses:
                report = messages.decode_event(data[messages.HEADER :])
                if isinstance(report, messages.Audio) and self._losses.get(report.id) == report.number:
                    return
            write(writer, data)

        asyncio.StreamWriter.write = lossy  # type: ignore[method-assign]


def load(arguments: Mapping[str, Any], phase: Phase) -> FakeDriver:
    with phase("weights"):
        time.sleep(arguments.get("start", 0.05))
        if message := arguments.get("cannot_start"):
            raise RuntimeError(message)
        if "exit_at_start" in arguments:
            sys.stderr.write("the fake engine cannot go on\n")
            os._exit(arguments["exit_at_start"])
    with phase("warm-up"):
        return FakeDriver(arguments)


def _chunks(samples: int) -> list[int]:
    """The first is one frame, as Higgs v3 has it."""
    rest = samples - messages.FRAME
    return [messages.FRAME, *[CHUNK] * (rest // CHUNK), *([rest % CHUNK] if rest % CHUNK else [])]


@cache
def pitch(samples: bytes) -> int:
    """Of a hum, in Hz: how often it goes up through zero."""
    values = array.array("h", samples)
    rises = sum(before <= 0 < after for before, after in pairwise(values))
    return max(1, round(rises * messages.RATE / len(values)))


@cache
def hum(hertz: int) -> bytes:
    """A second, after which it begins anew without a seam."""
    return array.array(
        "h", (int(8_000 * math.sin(2 * math.pi * hertz * n / messages.RATE)) for n in range(messages.RATE))
    ).tobytes()
