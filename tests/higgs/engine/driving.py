"""Asks a driver as the engine's process does."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from lectern_triton.higgs_engine.driver import OutOfFrames
from lectern_triton.higgs_engine.messages import Recording, Sampling, Speak
from lectern_triton.higgs_engine.transformers import load
from lectern_triton.higgs_engine.transformers.driver import TransformersDriver
from tests.higgs.random_v2 import Checkpoint
from tests.higgs.recordings import tone

SCENE = "Audio is recorded from a quiet room."
HIGH = Recording(tone(330, 1.5), "This is the reference.")
LOW = Recording(tone(110, 1.2), "This is another one.")
AS_ASKED = Sampling(temperature=0.8, top_p=0.95, top_k=50, seed=7)
PLENTY = 400  # frames; the tiny model ends by itself after a hundred or so

Phase = Callable[[str], AbstractContextManager[None]]


@contextmanager
def any_phase(_: str) -> Iterator[None]:
    yield


def load_tiny(
    checkpoint: Checkpoint, references: Path, phase: Phase = any_phase, **arguments: Any
) -> TransformersDriver:
    given = {"model": str(checkpoint.model), "codec": str(checkpoint.codec), "references": str(references), **arguments}
    driver = load(given, phase)
    assert isinstance(driver, TransformersDriver)
    return driver


def request(text: str = "The sun rises in the east.", **changes: Any) -> Speak:
    usual = {"id": 1, "reference": HIGH, "scene": SCENE, "sampling": AS_ASKED, "max_frames": PLENTY}
    return Speak(text=text, **{**usual, **changes})


def sampling(**changes: Any) -> Sampling:
    usual = {"temperature": 0.8, "top_p": 0.95, "top_k": 50, "seed": 7}
    return Sampling(**{**usual, **changes})


async def chunks(driver: TransformersDriver, asked: Speak) -> list[bytes]:
    """Raises what the driver raises, but for the end of the frames."""
    made = []
    async with aclosing(driver.speak(asked)) as speech:
        with suppress(OutOfFrames):
            async for chunk in speech:
                made.append(chunk)  # noqa: PERF401 - what came before the end of the frames counts
    return made


def speak(driver: TransformersDriver, asked: Speak) -> "np.ndarray[Any, np.dtype[np.int16]]":
    return samples(asyncio.run(chunks(driver, asked)))


def samples(made: list[bytes]) -> "np.ndarray[Any, np.dtype[np.int16]]":
    return np.frombuffer(b"".join(made), "<i2")


class Watched:
    """What is asked of a driver's model, and how far it goes."""

    def __init__(self, driver: TransformersDriver, monkeypatch: Any) -> None:
        self.begun = 0
        self.rows = 0
        self.ended = Event()
        talk = driver._talker.talk

        def watched(prompt: Any, drawn: Any, most: int, tell: Callable[[Any], None], stop: Event) -> None:
            self.begun += 1
            self.ended.clear()

            def told(row: Any) -> None:
                self.rows += 1
                tell(row)

            try:
                talk(prompt, drawn, most, told, stop)
            finally:
                self.ended.set()

        monkeypatch.setattr(driver._talker, "talk", watched)
