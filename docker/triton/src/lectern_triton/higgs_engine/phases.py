"""How long each part of the start takes: told to the backend as it ends, and named where the start fails."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lectern_triton.higgs_engine import wire

log = logging.getLogger(__name__)


class Phases:
    """What a driver puts around the parts of its start; parts may lie within others, and in other threads."""

    def __init__(self, tell: Callable[[wire.Phase], None]) -> None:
        self._tell = tell
        self.failed = ""
        """The innermost part that failed."""

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        log.info("%s: begins", name)
        began = time.monotonic()
        try:
            yield
        except BaseException:
            self.failed = self.failed or name
            raise
        self._tell(wire.Phase(name, time.monotonic() - began))
