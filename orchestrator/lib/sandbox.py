"""Calls a function on untrusted bytes in a separate process with limits on memory and time.

A library may take gigabytes, or hours, to read a small file. Neither must disturb the listeners.
"""

import importlib
import math
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
_START_SECONDS: Final = 20.0  # for the start of the process on a busy machine, apart from its processor time
_MAX_RESULT: Final = 1 << 30  # bytes
# Without our own variables, which have secrets. One thread for each library, since it reserves memory for each thread.
_ENVIRONMENT: Final = {
    **{name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ},
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


class OverLimitError(Exception):
    """The function exceeded its memory or time, or its process ended without a result."""


Function = Callable[[bytes], bytes]


def call(function: Function, data: bytes, *, memory: int, seconds: float) -> bytes:
    """Returns the result of a module's function on the data. Blocks: call it in a thread. Raises OverLimitError.

    ``memory``: bytes beyond what the process has once the module is loaded; ``seconds``: of processor time.
    """
    words = [f"{function.__module__}:{function.__qualname__}", str(memory), str(math.ceil(seconds))]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, and a function of ours
            [sys.executable, "-m", __name__, *words],
            input=data,
            capture_output=True,
            cwd=_ROOT,
            env=_ENVIRONMENT,
            timeout=_START_SECONDS + 2 * seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OverLimitError(f"no answer within {error.timeout:g} s") from None
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise OverLimitError(f"the process ended with {done.returncode}: {last[:200]}")
    return done.stdout


def _main(name: str, memory: int, seconds: int) -> None:
    module, _, qualified = name.partition(":")
    function = getattr(importlib.import_module(module), qualified)
    data = sys.stdin.buffer.read()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    _limit(resource.RLIMIT_AS, pages * resource.getpagesize() + memory)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime) + seconds)
    _limit(resource.RLIMIT_FSIZE, _MAX_RESULT)
    _limit(resource.RLIMIT_CORE, 0)
    sys.stdout.buffer.write(function(data))
    sys.stdout.buffer.flush()


def _limit(kind: int, limit: int) -> None:
    resource.setrlimit(kind, (limit, limit))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
