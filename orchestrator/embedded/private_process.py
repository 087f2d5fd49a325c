"""`python -I -S private_process.py PROGRAM ARGUMENT...`: runs a program of which other users learn nothing.

They cannot read its files. The umask is 077, which alone leaves Triton's shared memory readable, with the texts of all
requests: Boost makes it and sets the mode of every region to 0644 by `fchmod`. No setting changes that, and a
correction afterwards would be too late. So a filter of system calls makes the kernel ignore just this call.

They cannot read its secret argument. Everybody may read a command line in /proc, but only its own user an environment.
So the secret comes by `PRIVATE_ARGUMENT`, and the command line has `PLACEHOLDER` in its place. A second process, which
traces this one for a moment, stops the program before its first instruction and has the argument point to the secret.
"""

import ctypes
import os
import signal
import struct
import sys
from pathlib import Path
from typing import BinaryIO, NoReturn

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from orchestrator.lib import seccomp

MASK = 0o077
IGNORED_MODE = 0o644
PRIVATE_ARGUMENT = "LECTERN_PRIVATE_ARGUMENT"
PLACEHOLDER = "--private"

_CONTINUE, _DETACH, _SEIZE, _TRACE_EXEC, _EXEC_EVENT = 7, 17, 0x4206, 0x10, 4  # of ptrace
_PR_SET_PTRACER, _ANYBODY = 0x5961_6D61, -1
_STACK = 25  # where in /proc/PID/stat, behind the name, it says where the stack of a program began
_WALL = 0x4000_0000  # in waitpid: also for what is no child
_WORD = struct.calcsize("P")
_LIBRARY = ctypes.CDLL(None, use_errno=True)


def keep_files_private() -> None:
    """Makes new files private, for this process and its children. Raises OSError if the kernel has no such filters."""
    os.umask(MASK)
    seccomp.skip("fchmod", second_argument=IGNORED_MODE)


def become(command: list[str], argument: str) -> NoReturn:
    """Becomes the program of this command, with the argument in the place of `PLACEHOLDER`, if it has one."""
    try:
        _have_traced()
    except OSError as error:  # go on: nobody else can reach Triton's socket even so
        _warn(f"other users of this machine can read Triton's secret in its command line: {error}")
        command = [argument if word == PLACEHOLDER else word for word in command]
        os.execv(command[0], command)  # noqa: S606 - the supervisor names the program
    os.execve(command[0], command, {**os.environ, PRIVATE_ARGUMENT: argument})  # noqa: S606


def _have_traced() -> None:
    """Has a second process wait for this one to become a program. Raises OSError if the kernel refuses that."""
    _LIBRARY.prctl(_PR_SET_PTRACER, ctypes.c_long(_ANYBODY), 0, 0, 0)  # where only children may be traced
    told, tell = os.pipe()
    this = os.getpid()
    # The child of a child, so that the program does not find a child that it never started.
    if (child := os.fork()) == 0:
        if os.fork() == 0:
            os.close(told)
            _trace(this, tell)
        os._exit(0)
    os.waitpid(child, 0)
    os.close(tell)
    with os.fdopen(told, "rb") as answer:
        number = answer.read()
    if number != b"0":
        raise OSError(int(number or -1), os.strerror(int(number or -1)))


def _trace(pid: int, tell: int) -> NoReturn:
    try:
        refused = _ptrace(_SEIZE, pid, _TRACE_EXEC)
        os.write(tell, str(refused).encode())
        os.close(tell)
        if not refused:
            _exchange_at_start(pid)
    except BaseException as error:  # noqa: BLE001 - the program would not know the placeholder
        _warn(f"Triton cannot be started with its secret: {error!r}")
        os.kill(pid, signal.SIGKILL)
    finally:
        os._exit(0)


def _exchange_at_start(pid: int) -> None:
    while True:
        _, status = os.waitpid(pid, _WALL)
        if not os.WIFSTOPPED(status):  # it ended
            return
        if status >> 16 == _EXEC_EVENT:
            break
        _ptrace(_CONTINUE, pid, os.WSTOPSIG(status))
    _exchange(pid)
    _ptrace(_DETACH, pid, 0)


def _exchange(pid: int) -> None:
    """Has the argument point to the secret in the environment, which then has something else twice in its place."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    with Path(f"/proc/{pid}/mem").open("r+b", buffering=0) as memory:
        # The number of arguments, their addresses, 0, the addresses of the environment, 0.
        arguments = int(fields[_STACK]) + _WORD
        count = _word(memory, arguments - _WORD)
        environment = arguments + (count + 1) * _WORD
        placeholder = _find(memory, arguments, PLACEHOLDER.encode())
        variable = _find(memory, environment, f"{PRIVATE_ARGUMENT}=".encode())
        secret = _word(memory, variable) + len(PRIVATE_ARGUMENT) + 1
        other = environment if variable != environment else environment + _WORD
        for place, address in ((placeholder, secret), (variable, _word(memory, other))):
            memory.seek(place)
            memory.write(struct.pack("P", address))


def _find(memory: BinaryIO, place: int, start: bytes) -> int:
    """Returns where, from this place on, the address of a text stands that begins so."""
    while address := _word(memory, place):
        memory.seek(address)
        if memory.read(len(start)) == start:
            return place
        place += _WORD
    raise ValueError(f"{start.decode()} is missing")


def _word(memory: BinaryIO, place: int) -> int:
    memory.seek(place)
    return int(struct.unpack("P", memory.read(_WORD))[0])


def _ptrace(request: int, pid: int, data: int) -> int:
    """Returns 0, or the number of the error."""
    ctypes.set_errno(0)
    _LIBRARY.ptrace(ctypes.c_long(request), ctypes.c_long(pid), ctypes.c_void_p(0), ctypes.c_void_p(data))
    return ctypes.get_errno()


def _warn(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    try:
        keep_files_private()
    except OSError as error:  # go on: speech that other users could read is better than none
        _warn(f"other users of this machine can read the texts of requests in /dev/shm: {error}")
    secret = os.environ.pop(PRIVATE_ARGUMENT, None)
    if secret is None:
        os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606
    become(sys.argv[1:], secret)
