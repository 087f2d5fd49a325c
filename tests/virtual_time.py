"""An event loop whose clock goes forward when nothing is left to do before the next timer: no test waits for it.

For code that waits for timers and for other tasks only. A thread or a socket takes real time, which this clock skips.
"""

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any


class _Selector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(None if timeout is None else 0)
        if not found and timeout is not None:
            self.now += max(0.0, timeout)
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


BACKEND: tuple[str, Mapping[str, Any]] = ("asyncio", {"loop_factory": VirtualLoop})
"""What the fixture `anyio_backend` returns for tests that run on this loop."""
