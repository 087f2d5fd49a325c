"""The interface of a driver, which runs one model: `omni` and `transformers` implement it, and the tests do."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from lectern_triton.higgs_engine.messages import Ready, Speak

Phase = Callable[[str], AbstractContextManager[None]]
"""Wraps a phase of the start, by its name. Its duration is logged and exported as a metric."""


class BadRequest(Exception):  # noqa: N818 - named as the caller sees it
    """The caller must change the request; the message says what to change."""


class Driver(Protocol):
    """One loaded model. One event loop calls all methods, and none may block it."""

    ready: Ready

    def speak(self, request: Speak) -> AsyncGenerator[bytes, None]:
        """Yields the samples of a request, as bytes in the format of `messages`, the first of them soon.

        Returns when the model has come to the end of the text. Raises OutOfFrames after the last samples if
        `max_frames` ended them, BadRequest before the first ones, and anything else for a failure. Closing the
        generator, or cancelling the task that reads it, ends the model's work on the request within 100 ms.
        """

    async def check(self) -> None:
        """Raises an exception if the engine can no longer speak."""

    async def close(self) -> None:
        """Frees all resources."""


class OutOfFrames(Exception):  # noqa: N818 - it names a state of affairs
    """The model made all frames that it was allowed without coming to the end of the text."""


class Load(Protocol):
    """The function `load` of a driver's module. It blocks, and is called in a thread."""

    def __call__(self, arguments: Mapping[str, Any], phase: Phase) -> Driver:
        """Loads the model with the arguments in model.json. Any exception fails the start, with its message."""
