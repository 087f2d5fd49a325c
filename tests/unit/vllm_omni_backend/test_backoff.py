from lectern_triton.vllm_omni_backend.engine import Backoff


def test_each_failure_in_a_row_is_waited_for_twice_as_long_up_to_a_minute() -> None:
    backoff = Backoff()
    assert [backoff.pause(0) for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_an_engine_that_was_ready_for_a_while_begins_a_new_row() -> None:
    backoff = Backoff()
    pauses = [backoff.pause(ready_for) for ready_for in (0, 0, 59, 60, 0, 3_600)]
    assert pauses == [1, 2, 4, 1, 2, 1]


def test_a_long_row_stays_at_a_minute() -> None:
    backoff = Backoff()
    assert {backoff.pause(0) for _ in range(5_000)} == {1, 2, 4, 8, 16, 32, 60}
