"""What an engine is to the process that hosts it. `omni` and `transformers` are real ones; the tests have another."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from lectern_triton.higgs_engine.wire import Ready, Speak

Phase = Callable[[str], AbstractContextManager[None]]
"""Around a phase of the start, by its name; how long each took is told to the backend, logged and exported."""


class BadRequest(Exception):  # noqa: N818 - named as the caller sees it
    """The caller must change the request; the message says what to change."""


class Driver(Protocol):
    """One loaded model. Everything is called in one event loop, which nothing may block."""

    ready: Ready

    def speak(self, request: Speak) -> AsyncGenerator[bytes, None]:
        """Yields samples as `wire` has them, the first of them soon; nothing but samples of this request.

        Returns when the model has come to its end, raises `OutOfFrames` after the last samples when `max_frames` ended
        it, `BadRequest` before the first ones, anything else for a failure. Closing it, or cancelling the task that
        reads it, ends the model's work on it within 100 ms.
        """

    async def check(self) -> None:
        """Raises what is wrong if the engine cannot speak any more."""

    async def close(self) -> None:
        """Frees everything."""


class OutOfFrames(Exception):  # noqa: N818 - it names a state of affairs
    """The model had not come to its end when it had made as many frames as it may."""


class Load(Protocol):
    """The function `load` of a driver's module. Blocks; is called in a thread."""

    def __call__(self, arguments: Mapping[str, Any], phase: Phase) -> Driver:
        """``arguments``: those of model.json. Raises anything, with a message for the operator."""
