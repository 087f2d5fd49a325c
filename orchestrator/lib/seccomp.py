"""Filters of system calls (seccomp), for the calling thread and all that it starts. Linux on x86_64 and aarch64.

A filter is a program of classic BPF, which the kernel runs before each call. No filter can be taken back.
"""

import ctypes
import os
import platform
import struct
from collections.abc import Iterable, Sequence
from typing import Any, Final

# By machine: its AUDIT_ARCH, and which of the two numbers of each call is its own.
_MACHINES: Final = {"x86_64": (0xC000_003E, 0), "aarch64": (0xC000_00B7, 1)}
_CALLS: Final = {
    "brk": (12, 214),
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "close": (3, 57),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "fchmod": (91, 52),
    "fstat": (5, 80),
    "futex": (202, 98),
    "getpid": (39, 172),
    "getrandom": (318, 278),
    "getrusage": (98, 165),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "lseek": (8, 62),
    "madvise": (28, 233),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munmap": (11, 215),
    "read": (0, 63),
    "restart_syscall": (219, 128),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_getaffinity": (204, 123),
    "sched_yield": (24, 124),
    "seccomp": (317, 277),
    "sigaltstack": (131, 132),
    "sysinfo": (99, 179),
    "write": (1, 64),
}

_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER, _ARCH, _SECOND_ARGUMENT = 0, 4, 24  # offsets in struct seccomp_data
_ALLOW, _FAIL = 0x7FFF_0000, 0x0005_0000  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO, to which the error is added
_PR_SET_NO_NEW_PRIVS, _SET_MODE_FILTER, _GET_ACTION_AVAILABLE = 38, 1, 2
_SPEC_ALLOW: Final = 4  # no speculation mitigations, which slow programs down

_LIBRARY: Final = ctypes.CDLL(None, use_errno=True)

Step = tuple[int, int, int, int]  # operation, steps to skip if equal, and if not, operand


def check() -> None:
    """Raises OSError if the kernel has no such filters, or its calls are unknown here."""
    action = ctypes.c_uint32(_FAIL)
    _seccomp(_GET_ACTION_AVAILABLE, 0, ctypes.byref(action))


def allow_only(calls: Iterable[str], *, error: int) -> None:
    """Makes every other call fail with this error number. Raises OSError if the kernel has no such filters."""
    arch, numbers = _numbers(calls)
    checks = [(_JUMP_IF_EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)]
    _load(
        [
            (_LOAD, 0, 0, _ARCH),
            (_JUMP_IF_EQUAL, 0, len(numbers) + 1, arch),
            (_LOAD, 0, 0, _NUMBER),
            *checks,
            (_RETURN, 0, 0, _FAIL | error),
            (_RETURN, 0, 0, _ALLOW),
        ]
    )


def skip(call: str, *, second_argument: int) -> None:
    """Makes a call with this argument do nothing, and succeed. Raises OSError if the kernel has no such filters."""
    arch, (number,) = _numbers([call])
    _load(
        [
            (_LOAD, 0, 0, _ARCH),
            (_JUMP_IF_EQUAL, 0, 5, arch),
            (_LOAD, 0, 0, _NUMBER),
            (_JUMP_IF_EQUAL, 0, 3, number),
            (_LOAD, 0, 0, _SECOND_ARGUMENT),
            (_JUMP_IF_EQUAL, 0, 1, second_argument),
            (_RETURN, 0, 0, _FAIL),
            (_RETURN, 0, 0, _ALLOW),
        ],
        _SPEC_ALLOW,
    )


def _numbers(calls: Iterable[str]) -> tuple[int, list[int]]:
    machine = platform.machine()
    if machine not in _MACHINES:
        raise OSError(f"the system calls of {machine} are unknown")
    arch, column = _MACHINES[machine]
    return arch, [_CALLS[call][column] for call in calls]


def _load(steps: Sequence[Step], flags: int = 0) -> None:
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(code)))
    # Required of all but root: a filter must not reach a program that gains more rights.
    _LIBRARY.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _seccomp(_SET_MODE_FILTER, flags, program)


def _seccomp(operation: int, flags: int, argument: Any) -> None:  # noqa: ANN401 - whatever ctypes can pass
    _, (number,) = _numbers(["seccomp"])
    if _LIBRARY.syscall(number, operation, flags, argument):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
