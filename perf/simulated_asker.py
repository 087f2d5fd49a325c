"""A script that asks for speech, one sentence after the other, and listens to nothing."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

import msgspec

from perf.http_client import checked
from perf.stack import Stack
from perf.texts import text

BUSY: Final = 503


@dataclass
class Asked:
    """What the scripts experienced."""

    seconds: list[float] = field(default_factory=list)  # from each request to its whole answer
    refused: int = 0


async def ask_on(stack: Stack, model: str, asked: Asked, *, until: float) -> None:
    """``until``: on the clock of `time.perf_counter`."""
    while time.perf_counter() < until:
        began = time.perf_counter()
        body = msgspec.json.encode({"model": model, "input": text(1), "response_format": "wav"})
        async with stack.connection() as connection:
            answer = await connection.ask("POST", "/v1/audio/speech", body)
        if answer.status == BUSY:
            asked.refused += 1
            left = until - time.perf_counter()
            await asyncio.sleep(min(float(answer.headers["retry-after"]), max(0.0, left)))
        else:
            checked(answer)
            asked.seconds.append(time.perf_counter() - began)
