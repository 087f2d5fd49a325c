"""What becomes of a job that failed, by the kind of its error."""

from datetime import timedelta

import asyncpg
import pytest

from orchestrator.jobs.connector import _with_numbers
from orchestrator.jobs.retry import MOST_TRIES, Failure, judge
from orchestrator.lib.errors.problems import BadRequest, Busy, NotFound, Problem, StorageFull, Unavailable
from orchestrator.lib.object_store import StoreFailed

NEW = timedelta()


@pytest.mark.parametrize(
    "error",
    [Unavailable(), StoreFailed(), StorageFull(), Busy(), TimeoutError(), asyncpg.ConnectionDoesNotExistError()],
    ids=repr,
)
def test_an_outage_is_waited_out_for_a_day(error: Exception) -> None:
    pauses = [judge(error, tries=1, retries=retries, age=NEW).pause for retries in (0, 1, 2, 7, 8, 500)]
    assert pauses == [2, 4, 8, 256, 300, 300]
    assert judge(error, tries=99, retries=99, age=timedelta(hours=23)).excused
    assert judge(error, tries=1, retries=0, age=timedelta(hours=25)) == Failure(dead=True)


def test_whoever_is_busy_says_for_how_long() -> None:
    assert judge(Busy(retry_after=40), tries=1, retries=0, age=NEW).pause == 40


@pytest.mark.parametrize("error", [BadRequest(), NotFound()], ids=repr)
def test_a_bad_input_fails_at_once_and_needs_no_operator(error: Exception) -> None:
    assert judge(error, tries=1, retries=0, age=NEW) == Failure()


@pytest.mark.parametrize("error", [ValueError("?"), Problem()], ids=repr)
def test_what_nobody_foresaw_is_tried_a_few_times(error: Exception) -> None:
    failures = [judge(error, tries=tries, retries=tries, age=NEW) for tries in range(1, MOST_TRIES + 1)]
    assert [failure.pause for failure in failures] == [5, 20, None]
    assert [failure.dead for failure in failures] == [False, False, True]
    assert not any(failure.excused for failure in failures)


def test_named_parameters_become_numbers_and_what_is_concatenated_becomes_text() -> None:
    query = "SELECT %(queue)s, %(args)s WHERE %(queue)s IS NULL OR at < now() - (%(seconds)s || ' SECOND')::interval"
    statement, values = _with_numbers(query, {"queue": "default", "args": {"a": [1]}, "seconds": 6.0})
    assert statement == "SELECT $1, $2 WHERE $1 IS NULL OR at < now() - ($3 || ' SECOND')::interval"
    assert values == ["default", '{"a":[1]}', "6.0"]
