import threading
from concurrent.futures import CancelledError

import pytest
from kokoro_voice.dispatch import Dispatch

SECONDS = 10.0


def test_the_urgent_goes_first_and_equals_in_turn() -> None:
    dispatch: Dispatch[None] = Dispatch(1)
    began, go, made = threading.Event(), threading.Event(), []

    def hold() -> None:
        began.set()
        go.wait(SECONDS)

    dispatch.submit((0, 0), hold)
    assert began.wait(SECONDS)
    calls = [(1, 0, "batch"), (0, 3, "late"), (0, 0, "live"), (0, 0, "live too")]
    futures = [dispatch.submit((lane, number), lambda name=name: made.append(name)) for lane, number, name in calls]  # type: ignore[misc]
    go.set()
    for future in futures:
        future.result(SECONDS)
    assert made == ["live", "live too", "late", "batch"]
    dispatch.close()


def test_as_many_calls_run_at_once_as_there_are_threads() -> None:
    dispatch: Dispatch[int] = Dispatch(3)
    together = threading.Barrier(3)
    futures = [dispatch.submit((0,), lambda: together.wait(SECONDS)) for _ in range(3)]
    assert sorted(future.result(SECONDS) for future in futures) == [0, 1, 2]
    dispatch.close()


def test_a_call_that_fails_tells_whoever_waits() -> None:
    dispatch: Dispatch[None] = Dispatch(1)

    def fail() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        dispatch.submit((0,), fail).result(SECONDS)
    assert dispatch.submit((0,), lambda: None).result(SECONDS) is None
    dispatch.close()


def test_what_waits_when_it_closes_is_cancelled() -> None:
    dispatch: Dispatch[None] = Dispatch(1)
    began, go = threading.Event(), threading.Event()

    def hold() -> None:
        began.set()
        go.wait(SECONDS)

    running = dispatch.submit((0,), hold)
    assert began.wait(SECONDS)
    waiting = dispatch.submit((0,), lambda: None)
    closing = threading.Thread(target=dispatch.close)
    closing.start()
    go.set()
    closing.join(SECONDS)
    running.result(SECONDS)
    with pytest.raises(CancelledError):
        waiting.result(SECONDS)
