"""`python -I -S private.py PROGRAM ARGUMENT...`: runs it so that no other user of this machine reads what it makes.

Files are made by a mask of 077. That alone leaves Triton's shared memory open, with the texts of all requests in it:
Boost, which makes it, gives every region the mode 0644 once more by `fchmod`. There is no setting of that, and to
correct it afterwards would come too late for whoever had opened it before. So the kernel is told to pass over just
this call, and over no other: it does nothing, and says that it went well.
"""

import ctypes
import os
import platform
import struct
import sys

MASK = 0o077
PASSED_OVER = 0o644

# By machine: its AUDIT_ARCH, and the numbers of its calls fchmod and seccomp.
MACHINES = {"x86_64": (0xC000_003E, 91, 317), "aarch64": (0xC000_00B7, 52, 277)}

_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # of classic BPF
_NUMBER, _ARCH, _SECOND_ARGUMENT = 0, 4, 24  # where they lie in struct seccomp_data
_ALLOW, _SUCCEED = 0x7FFF_0000, 0x0005_0000  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO with 0, which is success
_PR_SET_NO_NEW_PRIVS, _SET_MODE_FILTER = 38, 1
_SPEC_ALLOW = 4  # this is no sandbox: without it, some kernels slow down all that runs under a filter


def keep_private() -> None:
    """For this process, and for all that it starts. Raises OSError where the kernel has no such filters."""
    os.umask(MASK)
    if platform.machine() not in MACHINES:
        raise OSError(f"nothing is known of system calls on {platform.machine()}")
    arch, fchmod, seccomp = MACHINES[platform.machine()]
    steps = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_IF_EQUAL, 0, 5, arch),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_IF_EQUAL, 0, 3, fchmod),
        (_LOAD, 0, 0, _SECOND_ARGUMENT),
        (_JUMP_IF_EQUAL, 0, 1, PASSED_OVER),
        (_RETURN, 0, 0, _SUCCEED),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(code)))
    library = ctypes.CDLL(None, use_errno=True)
    # Else only root may set a filter: it must not reach a program that then runs with more rights.
    refused = library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or library.syscall(
        seccomp, _SET_MODE_FILTER, _SPEC_ALLOW, program
    )
    if refused:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


if __name__ == "__main__":
    try:
        keep_private()
    except OSError as error:  # better a voice that others on the machine can overhear than none
        sys.stderr.write(f"what the models are sent can be read by other users of this machine in /dev/shm: {error}\n")
        sys.stderr.flush()
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - the program is the supervisor's choice
