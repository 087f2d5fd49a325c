"""A sandboxed function returns its result; its memory, time and crashes do not reach the caller."""

import os
import signal

import pytest

from orchestrator.lib import sandbox

MEGABYTE = 1 << 20


def reversed_bytes(data: bytes) -> bytes:
    return data[::-1]


def told_environment(_: bytes) -> bytes:
    return " ".join(os.environ).encode()


def greedy(data: bytes) -> bytes:
    return bytes(len(data) * 600 * MEGABYTE)[:1]


def endless(data: bytes) -> bytes:
    while True:
        data = data[::-1]


def dying(_: bytes) -> bytes:
    os.kill(os.getpid(), signal.SIGSEGV)
    return b""


def failing(_: bytes) -> bytes:
    raise ValueError("of no use")


def test_the_result_comes_back_whole() -> None:
    data = bytes(range(256)) * 40_000
    assert sandbox.call(reversed_bytes, data, memory=256 * MEGABYTE, seconds=10) == data[::-1]


def test_no_secret_reaches_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LECTERN_API_KEY", "secret")
    assert b"LECTERN_API_KEY" not in sandbox.call(told_environment, b"", memory=256 * MEGABYTE, seconds=10)


def test_the_function_has_its_memory() -> None:
    assert sandbox.call(greedy, b"x", memory=1_000 * MEGABYTE, seconds=10) == b"\0"
    with pytest.raises(sandbox.OverLimitError, match="MemoryError"):
        sandbox.call(greedy, b"x", memory=256 * MEGABYTE, seconds=10)


def test_the_function_has_its_time() -> None:
    with pytest.raises(sandbox.OverLimitError):
        sandbox.call(endless, b"xy", memory=256 * MEGABYTE, seconds=1)


@pytest.mark.parametrize(("function", "says"), [(dying, f"{-signal.SIGSEGV}"), (failing, "of no use")])
def test_a_function_over_its_limits_is_reported(function: sandbox.Function, says: str) -> None:
    with pytest.raises(sandbox.OverLimitError, match=says):
        sandbox.call(function, b"", memory=256 * MEGABYTE, seconds=10)
