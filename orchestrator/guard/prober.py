"""Has a model speak a word, and tells what that shows."""

import asyncio
from contextlib import aclosing
from typing import NamedTuple

import lectern_contract as contract
from lectern.triton import AsyncTriton, Busy, InvalidRequest, NotFound, TritonError, Unreachable
from orchestrator.guard.limits import Limits
from orchestrator.guard.reports import State


class Finding(NamedTuple):
    state: State
    reason: str = ""
    mute: bool = False
    """Whether there was no sign of life at all, not even an error."""


async def probe(triton: AsyncTriton, model: str, limits: Limits) -> Finding:
    """Probes a model. A model that refuses or is too busy has answered: it lives."""
    try:
        await _speak(triton, model, limits)
    except (Busy, InvalidRequest) as error:
        return Finding("busy", str(error))
    except Unreachable as error:
        return Finding("unknown", str(error))
    except NotFound as error:
        return Finding("missing", str(error))
    except TimeoutError:
        return Finding("silent", f"{model}: gave no sign of life for {limits.silence:g} s", mute=True)
    except TritonError as error:
        return Finding("silent", str(error))
    return Finding("speaks")


async def _speak(triton: AsyncTriton, model: str, limits: Limits) -> None:
    """Raises TimeoutError if no sign of life comes in time, and what `AsyncTriton.speak` raises."""
    samples = 0
    async with aclosing(triton.speak(model, contract.PROBE_TEXT, deadline=limits.probe)) as chunks:
        while True:
            try:
                async with asyncio.timeout(limits.silence):
                    chunk = await anext(chunks)
            except StopAsyncIteration:
                break
            samples += chunk.audio.size
    if not samples:
        raise TritonError("answered without any audio", model=model)
