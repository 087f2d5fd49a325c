"""A function in the sandbox returns its result; whatever else it does, nobody else is harmed."""

import asyncio
import ctypes
import errno
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrator.lib.sandbox.sandbox import Limits, OverLimitError, Sandbox
from tests.processes import Process, running, wait_until_gone

MEGABYTE = 1 << 20
LIMITS = Limits(memory=256 * MEGABYTE)

pytestmark = pytest.mark.anyio


class Question(msgspec.Struct):
    words: list[str]
    data: bytes = b""


class Answer(msgspec.Struct):
    words: dict[str, int]
    data: bytes


def reversed_bytes(data: bytes) -> bytes:
    return data[::-1]


def counted(question: Question) -> Answer:
    return Answer({word: len(word) for word in question.words}, question.data)


def told_environment(_: bytes) -> str:
    return " ".join(os.environ)


def told_process(_: bytes) -> int:
    return os.getpid()


def remembering(data: bytes) -> int:
    SEEN.append(data)
    return len(SEEN)


SEEN: list[bytes] = []


def greedy(megabytes: int) -> bytes:
    return bytes(megabytes * MEGABYTE)[:1]


def endless(_: bytes) -> bytes:
    while True:
        pass


def deadlocked(_: bytes) -> bytes:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
    return b""


def deaf(_: bytes) -> bytes:
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    return endless(b"")


def loud(megabytes: int) -> bytes:
    return bytes(megabytes * MEGABYTE)


def crashing(_: bytes) -> bytes:
    ctypes.string_at(0)
    return b""


def quitting(_: bytes) -> bytes:
    os._exit(0)


def failing(_: bytes) -> bytes:
    raise ValueError("of no use")


def lying(_: bytes) -> Answer:
    return b"no answer"  # type: ignore[return-value]


def forking(_: bytes) -> bytes:
    while True:
        os.fork()


def starting_threads(_: bytes) -> bytes:
    threading.Thread(target=time.sleep, args=(60,)).start()
    return b""


def executing(_: bytes) -> bytes:
    os.execv("/bin/true", ["true"])


def connecting(_: bytes) -> bytes:
    return bytes(socket.socket().fileno())


def reading(_: bytes) -> bytes:
    return Path("/etc/passwd").read_bytes()


def listing(_: bytes) -> list[str]:
    return [path.name for path in Path("/").iterdir()]


def writing(_: bytes) -> bytes:
    return str(Path("/dev/shm/lectern-sandbox").write_text("x")).encode()


def killing(pid: int) -> bytes:
    os.kill(pid, signal.SIGKILL)
    return b""


def printing(_: bytes) -> bytes:
    for _line in range(100_000):
        sys.stdout.write("a line that nobody reads\n")
    sys.stdout.flush()
    return b"printed"


def inherited(_: bytes) -> list[int]:
    """The open files, tried one by one: the folder in /proc cannot be opened."""
    found = []
    for number in range(256):
        try:
            os.lseek(number, 0, os.SEEK_CUR)
        except OSError as error:  # a pipe or a socket has no position
            if error.errno == errno.EBADF:
                continue
        found.append(number)
    return found


FUNCTIONS: list[Callable[[Any], Any]] = [
    *(reversed_bytes, counted, told_environment, told_process, remembering, greedy, endless, deadlocked, deaf, loud),
    *(crashing, quitting, failing, lying, forking, starting_threads, executing, connecting, reading, listing, writing),
    *(killing, printing, inherited),
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(*FUNCTIONS) as made:
        yield made


async def test_bytes_come_back_whole(sandbox: Sandbox) -> None:
    data = bytes(range(256)) * 80_000
    assert await sandbox.run(reversed_bytes, data, LIMITS) == data[::-1]


async def test_structs_are_taken_and_returned(sandbox: Sandbox) -> None:
    answer = await sandbox.run(counted, Question(["one", "three"], b"\0\xff"), LIMITS)
    assert answer == Answer({"one": 3, "three": 5}, b"\0\xff")


async def test_each_call_has_a_process_without_a_past(sandbox: Sandbox) -> None:
    pids = {await sandbox.run(told_process, b"", LIMITS) for _ in range(5)}
    assert len(pids) == 5
    assert [await sandbox.run(remembering, b"mine", LIMITS) for _ in range(3)] == [1, 1, 1]


async def test_no_secret_reaches_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody:secret@somewhere")
    async with Sandbox(told_environment) as sandbox:
        names = (await sandbox.run(told_environment, b"", LIMITS)).split()
    assert "PATH" in names
    assert "DATABASE_URL" not in names


async def test_only_the_result_goes_out_by_an_open_file(sandbox: Sandbox) -> None:
    """Besides /dev/null, three times."""
    open_files = await sandbox.run(inherited, b"", LIMITS)
    assert open_files[:3] == [0, 1, 2]
    assert len(open_files) == 4


async def test_the_function_has_its_memory(sandbox: Sandbox) -> None:
    assert await sandbox.run(greedy, 600, Limits(memory=1_000 * MEGABYTE)) == b"\0"
    with pytest.raises(OverLimitError, match="MemoryError"):
        await sandbox.run(greedy, 600, LIMITS)


@pytest.mark.parametrize(
    ("function", "argument", "limits", "reason"),
    [
        pytest.param(
            endless, b"", Limits(seconds=1, wall_seconds=600), "more than 1 s of processor time", id="an endless loop"
        ),
        pytest.param(
            deaf, b"", Limits(seconds=1, wall_seconds=600), "SIGKILL", id="an endless loop that ignores signals"
        ),
        pytest.param(deadlocked, b"", Limits(wall_seconds=1), "no result within 1 s", id="a deadlock"),
        pytest.param(loud, 3, Limits(output=2 * MEGABYTE), "more than 2,097,152 bytes", id="a large result"),
        pytest.param(crashing, b"", LIMITS, "SIGSEGV", id="a crash"),
        pytest.param(quitting, b"", LIMITS, "without a result", id="an early end"),
        pytest.param(failing, b"", LIMITS, "ValueError: of no use", id="an exception"),
        pytest.param(lying, b"", LIMITS, "no such result as lying returns", id="a result of another kind"),
        pytest.param(forking, b"", LIMITS, "BlockingIOError|PermissionError", id="a fork bomb"),
        pytest.param(starting_threads, b"", LIMITS, "can't start new thread", id="a thread"),
        pytest.param(executing, b"", LIMITS, "PermissionError", id="another program"),
        pytest.param(connecting, b"", LIMITS, "PermissionError", id="a socket"),
        pytest.param(reading, b"", LIMITS, "PermissionError", id="reading a file"),
        pytest.param(listing, b"", LIMITS, "PermissionError", id="listing a folder"),
        pytest.param(writing, b"", LIMITS, "PermissionError", id="writing a file"),
    ],
)
async def test_what_goes_too_far_is_ended_with_a_reason(
    sandbox: Sandbox, function: Callable[[Any], Any], argument: object, limits: Limits, reason: str
) -> None:
    with pytest.raises(OverLimitError, match=reason):
        await sandbox.run(function, argument, limits)
    assert await sandbox.run(reversed_bytes, b"next", LIMITS) == b"txen"


async def test_the_function_signals_nobody(sandbox: Sandbox) -> None:
    bystander = await asyncio.create_subprocess_exec("sleep", "600")
    try:
        with pytest.raises(OverLimitError, match="PermissionError"):
            await sandbox.run(killing, bystander.pid, LIMITS)
        assert bystander.pid in {process.pid for process in running(os.getpid())}
    finally:
        bystander.kill()
        await bystander.wait()


async def test_what_the_function_prints_goes_nowhere(sandbox: Sandbox, capfd: pytest.CaptureFixture[str]) -> None:
    assert await sandbox.run(printing, b"", LIMITS) == b"printed"
    assert capfd.readouterr() == ("", "")


async def test_a_cancelled_call_ends_its_process_and_makes_room() -> None:
    async with Sandbox(endless, reversed_bytes, at_once=1) as sandbox:
        assert await sandbox.run(reversed_bytes, b"ab", LIMITS) == b"ba"
        template = template_of(os.getpid())
        call = asyncio.ensure_future(sandbox.run(endless, b"", Limits(seconds=600, wall_seconds=600)))
        await until(lambda: len(running(template.pid)) == 2, "a keeper and the function's process")
        at_work = running(template.pid)
        waiting = asyncio.ensure_future(sandbox.run(reversed_bytes, b"cd", LIMITS))
        call.cancel()
        assert await waiting == b"dc"
        wait_until_gone(at_work)


async def test_a_killed_sandbox_starts_again(sandbox: Sandbox) -> None:
    assert await sandbox.run(reversed_bytes, b"ab", LIMITS) == b"ba"
    template = template_of(os.getpid())
    os.kill(template.pid, signal.SIGKILL)
    assert await sandbox.run(reversed_bytes, b"cd", LIMITS) == b"dc"


async def test_a_sandbox_that_is_killed_at_work_does_the_work_again(sandbox: Sandbox) -> None:
    assert await sandbox.run(reversed_bytes, b"ab", LIMITS) == b"ba"
    template = template_of(os.getpid())
    call = asyncio.ensure_future(sandbox.run(endless, b"", Limits(seconds=2, wall_seconds=600)))
    await until(lambda: len(running(template.pid)) == 2, "a keeper and the function's process")
    at_work = running(template.pid)
    os.kill(template.pid, signal.SIGKILL)
    with pytest.raises(OverLimitError, match="processor time"):
        await call
    wait_until_gone(at_work)


async def test_a_function_that_cannot_be_loaded_is_a_fault_of_ours() -> None:
    def elsewhere(data: bytes) -> bytes:
        return data

    elsewhere.__module__ = "tests.unit.lib.no_such_module"
    async with Sandbox(elsewhere) as sandbox:
        with pytest.raises(RuntimeError, match="its own words are in the log"):
            await sandbox.run(elsewhere, b"", LIMITS)


PARENT = """
import asyncio
from orchestrator.lib.sandbox.sandbox import Limits, Sandbox
from tests.unit.lib.test_sandbox import endless
async def main():
    async with Sandbox(endless) as sandbox:
        await sandbox.run(endless, b"", Limits(seconds=600, wall_seconds=600))
asyncio.run(main())
"""


async def test_all_of_it_dies_with_its_parent() -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, cwd=Path(__file__).parents[3])
    await until(lambda: len(running(parent.pid)) == 3, "the template, a keeper and the function's process")
    started = running(parent.pid)
    parent.kill()
    await parent.wait()
    wait_until_gone(started)


async def test_some_calls_run_at_once_and_others_wait() -> None:
    async with Sandbox(endless, reversed_bytes, at_once=2) as sandbox:
        assert await sandbox.run(reversed_bytes, b"ab", LIMITS) == b"ba"
        template = template_of(os.getpid())
        calls = [
            asyncio.ensure_future(sandbox.run(endless, b"", Limits(seconds=600, wall_seconds=600))) for _ in range(3)
        ]
        await until(lambda: len(running(template.pid)) == 4, "two keepers and what they keep")
        assert not any(call.done() for call in calls)
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)


def template_of(pid: int) -> Process:
    (found,) = [
        one for one in running(pid) if one.parent == pid and "orchestrator.lib.sandbox.template" in one.arguments
    ]
    return found


async def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, f"not within 60 s: {what}"
        await asyncio.sleep(0.01)
