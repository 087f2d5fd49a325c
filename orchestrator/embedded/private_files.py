"""`python -I -S private_files.py PROGRAM ARGUMENT...`: runs a program whose files no other user can read.

The umask is 077. That alone leaves Triton's shared memory readable, which has the texts of all requests: Boost makes it
and sets the mode of every region to 0644 by `fchmod`. No setting changes that, and a correction afterwards would be too
late. So a seccomp filter makes the kernel ignore just this call: it does nothing and returns success.
"""

import ctypes
import os
import platform
import struct
import sys

MASK = 0o077
IGNORED_MODE = 0o644

# By machine: its AUDIT_ARCH, and the numbers of the system calls fchmod and seccomp.
MACHINES = {"x86_64": (0xC000_003E, 91, 317), "aarch64": (0xC000_00B7, 52, 277)}

_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # of classic BPF
_NUMBER, _ARCH, _SECOND_ARGUMENT = 0, 4, 24  # offsets in struct seccomp_data
_ALLOW, _SUCCEED = 0x7FFF_0000, 0x0005_0000  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO with 0, which is success
_PR_SET_NO_NEW_PRIVS, _SET_MODE_FILTER = 38, 1
_SPEC_ALLOW = 4  # no speculation mitigations, which slow programs down: this is no sandbox


def keep_private() -> None:
    """Makes new files private, for this process and its children. Raises OSError if the kernel has no such filters."""
    os.umask(MASK)
    if platform.machine() not in MACHINES:
        raise OSError(f"the system calls of {platform.machine()} are unknown")
    arch, fchmod, seccomp = MACHINES[platform.machine()]
    steps = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_IF_EQUAL, 0, 5, arch),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_IF_EQUAL, 0, 3, fchmod),
        (_LOAD, 0, 0, _SECOND_ARGUMENT),
        (_JUMP_IF_EQUAL, 0, 1, IGNORED_MODE),
        (_RETURN, 0, 0, _SUCCEED),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(code)))
    library = ctypes.CDLL(None, use_errno=True)
    # Required of all but root: a filter must not reach a program that gains more rights.
    refused = library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or library.syscall(
        seccomp, _SET_MODE_FILTER, _SPEC_ALLOW, program
    )
    if refused:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    try:
        keep_private()
    except OSError as error:  # go on: speech that other users could read is better than none
        sys.stderr.write(f"other users of this machine can read the texts of requests in /dev/shm: {error}\n")
        sys.stderr.flush()
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - the supervisor names the program
