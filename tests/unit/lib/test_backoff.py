from itertools import islice

from orchestrator.lib.backoff import backoff, pause_after


def test_pauses_double_up_to_the_longest_and_stay_there() -> None:
    assert list(islice(backoff(0.5, 3.0), 5)) == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert [pause_after(failures, 2.0, 300.0) for failures in (1, 2, 8, 9, 10_000)] == [2.0, 4.0, 256.0, 300.0, 300.0]
