"""Ends a model process whose Triton has gone: Triton's stub would stay behind when its server is killed."""

import os
import signal
import threading
import time
from typing import Final

INTERVAL: Final = 1.0  # seconds


def end_with_parent() -> None:
    """Watch from a thread: the kernel's death signal would come once the server's thread that forked this ends."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(INTERVAL)
        os.kill(os.getpid(), signal.SIGKILL)  # there is nobody left to unload for

    threading.Thread(target=watch, name="orphan", daemon=True).start()
