import threading
from concurrent.futures import CancelledError

import pytest

from kokoro_voice.priority_executor import PriorityExecutor

SECONDS = 10.0


def test_the_urgent_goes_first_and_equals_in_turn() -> None:
    executor: PriorityExecutor[None] = PriorityExecutor(1, 100)
    began, go, made = threading.Event(), threading.Event(), []

    def hold() -> None:
        began.set()
        go.wait(SECONDS)

    executor.submit((0, 0), 1, hold)
    assert began.wait(SECONDS)
    calls = [(1, 0, "batch"), (0, 3, "late"), (0, 0, "live"), (0, 0, "live too")]
    futures = [executor.submit((lane, number), 1, lambda name=name: made.append(name)) for lane, number, name in calls]  # type: ignore[misc]
    go.set()
    for future in futures:
        future.result(SECONDS)
    assert made == ["live", "live too", "late", "batch"]
    executor.close()


def test_as_many_calls_run_at_once_as_there_are_threads() -> None:
    executor: PriorityExecutor[int] = PriorityExecutor(3, 100)
    together = threading.Barrier(3)
    futures = [executor.submit((0,), 1, lambda: together.wait(SECONDS)) for _ in range(3)]
    assert sorted(future.result(SECONDS) for future in futures) == [0, 1, 2]
    executor.close()


def test_a_call_that_fails_tells_whoever_waits() -> None:
    executor: PriorityExecutor[None] = PriorityExecutor(1, 100)

    def fail() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        executor.submit((0,), 1, fail).result(SECONDS)
    assert executor.submit((0,), 1, lambda: None).result(SECONDS) is None
    executor.close()


def test_what_waits_when_it_closes_is_cancelled() -> None:
    executor: PriorityExecutor[None] = PriorityExecutor(1, 100)
    began, go = threading.Event(), threading.Event()

    def hold() -> None:
        began.set()
        go.wait(SECONDS)

    running = executor.submit((0,), 1, hold)
    assert began.wait(SECONDS)
    waiting = executor.submit((0,), 1, lambda: None)
    closing = threading.Thread(target=executor.close)
    closing.start()
    go.set()
    closing.join(SECONDS)
    running.result(SECONDS)
    with pytest.raises(CancelledError):
        waiting.result(SECONDS)


def test_what_is_in_flight_weighs_no_more_than_wanted() -> None:
    executor: PriorityExecutor[None] = PriorityExecutor(4, 100)
    running, heaviest, lock = 0, 0, threading.Lock()

    def carry(weight: int) -> None:
        nonlocal running, heaviest
        with lock:
            running += weight
            heaviest = max(heaviest, running)
        with lock:
            running -= weight

    weights = [60, 60, 40, 30, 30, 30, 10] * 30
    for future in [executor.submit((0,), weight, lambda weight=weight: carry(weight)) for weight in weights]:  # type: ignore[misc]
        future.result(SECONDS)
    assert heaviest <= 100
    executor.close()


def test_a_call_heavier_than_all_that_may_be_in_flight_is_made_alone() -> None:
    executor: PriorityExecutor[str] = PriorityExecutor(4, 100)
    began, go = threading.Event(), threading.Event()

    def hold() -> str:
        began.set()
        go.wait(SECONDS)
        return "light"

    light = executor.submit((0,), 10, hold)
    assert began.wait(SECONDS)
    heavy = executor.submit((0,), 500, lambda: "heavy")
    assert not heavy.done()
    go.set()
    assert [light.result(SECONDS), heavy.result(SECONDS)] == ["light", "heavy"]
    executor.close()


def test_a_cancelled_call_does_not_hold_up_the_others() -> None:
    executor: PriorityExecutor[int] = PriorityExecutor(1, 100)
    began, go = threading.Event(), threading.Event()

    def hold() -> int:
        began.set()
        go.wait(SECONDS)
        return 1

    executor.submit((0,), 60, hold)
    assert began.wait(SECONDS)
    dropped = executor.submit((0,), 60, lambda: 2)
    kept = executor.submit((1,), 60, lambda: 3)
    assert dropped.cancel()
    go.set()
    assert kept.result(SECONDS) == 3
    executor.close()
