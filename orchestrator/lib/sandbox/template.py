"""`python -m orchestrator.lib.sandbox.template SOCKET MODULE...`: the process that each task's process is a copy of.

It has loaded the modules, and never sees a file of anybody's. For each task it forks a keeper, and the keeper forks
the process that runs the function. The keeper hands the result on, and kills what is late or whose client has gone.
"""

import gc
import importlib
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NoReturn, get_type_hints

import msgspec

from orchestrator.lib.sandbox.confinement import confine, die_with, has_filters

HEADER_SIZE: Final = 4  # bytes of the header's length
VALUE, FAILURE = b"\0", b"\1"  # how an answer begins
_PART: Final = 1 << 20  # bytes that are read at once
_DESCRIPTORS: Final = 1 << 16  # more than there can be
_LONGEST_REASON: Final = 300  # characters


class Header(msgspec.Struct, frozen=True):
    """What precedes the argument."""

    module: str
    function: str
    size: int  # of the argument, in bytes
    memory: int
    seconds: float
    wall_seconds: float
    output: int


class Codec(msgspec.Struct, frozen=True):
    """How a function's only argument and its result are sent, as its annotations say."""

    argument: Any
    result: Any

    @classmethod
    def of(cls, function: Callable[[Any], Any]) -> "Codec":
        hints = get_type_hints(function)
        result = hints.pop("return")
        (argument,) = hints.values()
        return cls(argument, result)


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    filtered = has_filters()
    for module in sys.argv[2:]:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # a collection in a copy would write to every object, and so copy all memory
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers leave no zombies
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the parent
    template = os.getpid()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:  # the parent has ended, or has closed its sandbox
            return
        if os.fork() == 0:
            control.close()
            _in_copy(template, partial(_keep, descriptors[0], filtered=filtered))
        os.close(descriptors[0])


def _in_copy(parent: int, work: Callable[[], None]) -> NoReturn:
    """Ends the process after the work, without what Python does at its end."""
    try:
        die_with(parent)
        work()
    except BaseException:  # noqa: BLE001 - the copy must not go on as if it were the template
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _keep(descriptor: int, *, filtered: bool) -> None:
    """Runs the task that comes by this socket, and answers with its result or the reason why there is none."""
    channel = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size = int.from_bytes(_read(channel, HEADER_SIZE))
    header = msgspec.msgpack.decode(_read(channel, size), type=Header)
    argument = _read(channel, header.size)
    result, sent = os.pipe()
    keeper = os.getpid()
    if (child := os.fork()) == 0:
        _in_copy(keeper, partial(_run, header, argument, sent, filtered=filtered))
    os.close(sent)
    try:
        channel.sendall(_answer(channel, child, result, header))
    except ConnectionError:
        pass  # the parent has given the task up
    finally:
        os.kill(child, signal.SIGKILL)  # not reaped before, so its number is nobody else's


def _read(channel: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    rest = memoryview(data)
    while rest:
        count = channel.recv_into(rest)
        if not count:
            os._exit(0)  # the parent has given the task up
        rest = rest[count:]
    return data


def _answer(channel: socket.socket, child: int, result: int, header: Header) -> bytes:
    """Raises ConnectionError once the parent has given the task up."""
    until = time.monotonic() + header.wall_seconds
    answer = bytearray()
    try:
        while _wait(channel, result, until) and (part := os.read(result, _PART)):
            answer += part
            if len(answer) > 1 + header.output:
                return FAILURE + f"more than {header.output:,} bytes of result".encode()
        _wait(channel, os.pidfd_open(child), until)
    except TimeoutError:
        return FAILURE + f"no result within {header.wall_seconds:g} s".encode()
    ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    if ended is not None and (ended.si_code, ended.si_status) == (os.CLD_EXITED, 0) and answer:
        return bytes(answer)
    return FAILURE + _reason(ended, header).encode()


def _wait(channel: socket.socket, descriptor: int, until: float) -> bool:
    """Returns True once the descriptor is ready. Raises TimeoutError, or ConnectionError once the parent has gone."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    poll.register(channel, select.POLLRDHUP)
    ready = dict(poll.poll(max(0.0, until - time.monotonic()) * 1000))
    if channel.fileno() in ready:
        raise ConnectionAbortedError
    if not ready:
        raise TimeoutError
    return True


def _reason(ended: os.waitid_result | None, header: Header) -> str:
    if ended is None or ended.si_code == os.CLD_EXITED:
        return "it ended without a result"
    if ended.si_status == signal.SIGXCPU:
        return f"more than {header.seconds:g} s of processor time"
    return f"it was ended by {signal.Signals(ended.si_status).name}"


def _run(header: Header, argument: bytearray, sent: int, *, filtered: bool) -> None:
    os.dup2(0, 1)  # /dev/null
    os.dup2(0, 2)
    os.closerange(3, sent)
    os.closerange(sent + 1, _DESCRIPTORS)
    function = getattr(sys.modules[header.module], header.function)
    codec = Codec.of(function)
    confine(memory=header.memory, seconds=header.seconds, filtered=filtered)
    try:
        value = function(msgspec.msgpack.decode(argument, type=codec.argument))
        answer = VALUE + msgspec.msgpack.encode(value)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent is told
        answer = FAILURE + f"{type(error).__name__}: {error}"[:_LONGEST_REASON].encode()
    rest = memoryview(answer)
    while rest:
        rest = rest[os.write(sent, rest) :]


if __name__ == "__main__":
    main()
