"""What a person sees of a start: one line a step, with the time it took to get there."""

import sys
import time
from typing import TextIO


class Console:
    def __init__(self, out: TextIO = sys.stdout, err: TextIO = sys.stderr) -> None:
        self._out = out
        self._err = err
        self._began = time.monotonic()

    def step(self, text: str) -> None:
        self.say(f"{time.monotonic() - self._began:6.1f} s  {text}")

    def say(self, text: str = "") -> None:
        self._out.write(f"{text}\n")
        self._out.flush()

    def error(self, text: str) -> None:
        self._err.write(f"lectern: {text}\n")
        self._err.flush()
