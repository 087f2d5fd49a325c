from itertools import islice

from orchestrator.lib.backoff import backoff


def test_pauses_grow_up_to_the_longest_and_stay_there() -> None:
    assert list(islice(backoff(0.5, 3.0), 5)) == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert list(islice(backoff(1.0, 30.0, factor=5), 4)) == [1.0, 5.0, 25.0, 30.0]
