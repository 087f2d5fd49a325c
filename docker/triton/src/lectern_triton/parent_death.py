"""Ends a process when its parent has gone: Triton's stub would stay behind when its server is killed."""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Final

INTERVAL: Final = 1.0  # seconds


def kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)  # there is nobody left to unload for


def end_with_parent(end: Callable[[], None] = kill_self) -> None:
    """Calls `end` once the parent has gone.

    A thread watches: the kernel's death signal would come as soon as the thread of the parent that forked this ends.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(INTERVAL)
        end()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
