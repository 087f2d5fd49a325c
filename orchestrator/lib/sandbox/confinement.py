"""Takes all rights from this process but the right to compute, for good."""

import contextlib
import ctypes
import errno
import math
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Final

from orchestrator.lib import seccomp

# What Python and the codecs need in order to compute. Missing, among others: every call that opens a file or a socket,
# starts a process or a thread, or signals another process.
_CALLS: Final = (
    *("read", "write", "close", "lseek", "fstat"),  # of open files
    *("brk", "mmap", "mprotect", "mremap", "munmap", "madvise"),
    *("futex", "sched_yield", "sched_getaffinity", "restart_syscall"),
    *("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack"),
    *("clock_gettime", "clock_getres", "clock_nanosleep", "gettimeofday", "getrusage", "sysinfo"),
    *("getpid", "gettid", "getrandom", "exit", "exit_group"),
)
_PR_SET_PDEATHSIG: Final = 1
_NICENESS: Final = 5  # speech comes first; more would starve this process on a busy machine


def has_filters() -> bool:
    """Returns whether this machine has filters of system calls; warns if not."""
    try:
        seccomp.check()
    except OSError as error:
        sys.stderr.write(f"untrusted files are opened without a filter of system calls, by limits alone: {error}\n")
        return False
    return True


def confine(*, memory: int, seconds: float, filtered: bool) -> None:
    """``memory``: bytes beyond what the process has now; ``seconds``: of processor time. Raises OSError.

    Without a filter of system calls the limits hold even so, by which no file or socket can be opened.
    """
    _limit(resource.RLIMIT_AS, _address_space() + memory)
    _limit(resource.RLIMIT_CPU, math.ceil(seconds), 1)
    os.nice(_NICENESS)
    with contextlib.suppress(OSError):  # a system without the file
        Path("/proc/self/oom_score_adj").write_text("1000")  # where memory runs out, this process ends first
    for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE):
        _limit(kind, 0)
    if filtered:
        seccomp.allow_only(_CALLS, error=errno.EPERM)


def die_with(parent: int) -> None:
    """Has the kernel kill this process when its parent, whose id this is, ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before
        os.kill(os.getpid(), signal.SIGKILL)


def _address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _limit(kind: int, limit: int, grace: int = 0) -> None:
    _, hard = resource.getrlimit(kind)
    most = hard if hard != resource.RLIM_INFINITY else limit + grace
    resource.setrlimit(kind, (min(limit, most), min(limit + grace, most)))
