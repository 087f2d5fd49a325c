"""One request being spoken: from the driver's samples to messages on the wire."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Final

from lectern_triton.higgs_engine import wire
from lectern_triton.higgs_engine.driver import BadRequest, Driver, OutOfFrames

LONGEST: Final = 2 * wire.RATE  # bytes in a message: a second. Others get their turn in between.

Send = Callable[[wire.Report], Awaitable[None]]
"""Returns once there is room for more: what is not read is not made."""

log = logging.getLogger(__name__)


async def speak(driver: Driver, request: wire.Speak, send: Send) -> None:
    """Speak a request, and send its end whatever it is; cancelled, it sends none."""
    number = 0
    complete = True
    try:
        async with aclosing(driver.speak(request)) as audio:
            async for samples in audio:
                for part in _parts(samples):
                    await send(wire.Audio(request.id, number, part))
                    number += 1
    except OutOfFrames:
        complete = False
    except BadRequest as error:
        await send(wire.Failed(id=request.id, kind="bad_request", message=str(error)))
        return
    except Exception as error:
        log.exception("a request could not be spoken")
        await send(wire.Failed(id=request.id, kind="failed", message=f"{type(error).__name__}: {error}"))
        return
    await send(wire.End(id=request.id, messages=number, complete=complete))


def _parts(samples: bytes) -> Iterator[bytes]:
    for first in range(0, len(samples), LONGEST):
        yield samples[first : first + LONGEST]
