"""How long a GPU is worth keeping."""

from math import inf

import pytest

from perf.idle_gpu import best, break_even, cold_seconds, gap_cost

COLD, PRICE = 90.0, 0.001


def test_a_cold_start_is_the_engines_whole_start_and_what_comes_before() -> None:
    assert cold_seconds({"import": 20.0, "weights": 45.0, "codec": 12.0, "total": 50.0}, also=40.0) == 90.0


def test_where_only_money_counts_it_is_kept_for_as_long_as_it_takes_to_start() -> None:
    assert break_even(COLD, PRICE) == COLD


def test_the_more_waiting_is_worth_the_longer_it_is_kept() -> None:
    assert break_even(COLD, PRICE, patience=3 * PRICE) == 4 * COLD


@pytest.mark.parametrize("gap", [0.0, 10.0, 89.0, 90.0, 91.0, 1e3, 1e6])
@pytest.mark.parametrize("patience", [0.0, 0.005])
def test_it_never_costs_more_than_twice_what_it_would_knowing_the_future(gap: float, patience: float) -> None:
    keep = break_even(COLD, PRICE, patience)
    knowing = min(gap_cost(gap, 0.0, COLD, PRICE, patience), gap_cost(gap, inf, COLD, PRICE, patience))
    assert gap_cost(gap, keep, COLD, PRICE, patience) <= 2 * knowing + 1e-9


def test_short_gaps_are_waited_for_and_nothing_more() -> None:
    choice = best([5.0, 20.0, 30.0, 1e5, 2e5], COLD, PRICE)
    assert choice.seconds == 30.0
    assert choice.cost == pytest.approx((5 + 20 + 30 + 2 * (30 + COLD)) * PRICE / 5)


def test_gaps_that_are_all_long_are_not_waited_for() -> None:
    assert best([1e4, 1e5], COLD, PRICE).seconds == 0.0


def test_gaps_that_are_all_short_are_always_waited_for() -> None:
    assert best([1.0, 2.0, 3.0], COLD, PRICE).cost == pytest.approx(2 * PRICE)


def test_no_other_time_is_better_than_the_best() -> None:
    gaps = [3.0, 47.0, 80.0, 95.0, 300.0, 4_000.0]
    choice = best(gaps, COLD, PRICE, PRICE)
    for keep in range(0, 5_000, 7):
        cost = sum(gap_cost(gap, float(keep), COLD, PRICE, PRICE) for gap in gaps) / len(gaps)
        assert choice.cost <= cost + 1e-12
