"""What becomes of a job that failed: an outage is waited out, a bad input ends it, anything else is tried again."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job as QueuedJob

from orchestrator.lib.backoff import pause_after
from orchestrator.lib.database import is_outage
from orchestrator.lib.errors.problems import Busy, Problem, StorageFull, TooMany, TooSlow, Unavailable

MOST_TRIES: Final = 3  # of a job that fails for no known reason, or whose worker dies
OUTAGE_LIMIT: Final = timedelta(days=1)  # after which even an outage fails a job

_OUTAGES: Final = (Unavailable, StorageFull, Busy, TooMany, TooSlow)
_PAUSES: Final = (2.0, 300.0)  # seconds during an outage: the first and the longest
_UNKNOWN_PAUSES: Final = (5.0, 20.0)


class Failure(msgspec.Struct, frozen=True):
    pause: float | None = None
    """Seconds until the next try; None: the job has failed."""
    excused: bool = False
    """Whether the try does not count, as the job is not to blame."""
    dead: bool = False
    """Whether an operator has to look at it, who may have it tried again."""


def judge(error: Exception, *, tries: int, retries: int, age: timedelta) -> Failure:
    """``tries`` counts this one; ``retries`` counts all that were before, also after outages."""
    if is_outage(error) or isinstance(error, _OUTAGES):
        if age > OUTAGE_LIMIT:
            return Failure(dead=True)
        pause = pause_after(retries + 1, *_PAUSES)
        return Failure(max(pause, getattr(error, "retry_after", None) or 0.0), excused=True)
    if isinstance(error, Problem) and error.status < 500:  # noqa: PLR2004
        return Failure()
    if tries >= MOST_TRIES:
        return Failure(dead=True)
    return Failure(_UNKNOWN_PAUSES[min(tries, len(_UNKNOWN_PAUSES)) - 1])


class TryAgain(Exception):  # noqa: N818 - no error but a decision
    """Tells Procrastinate to put the job back into the queue, after so many seconds."""

    def __init__(self, pause: float) -> None:
        super().__init__(f"again in {pause:g} s")
        self.at = datetime.now(UTC) + timedelta(seconds=pause)


class Strategy(BaseRetryStrategy):
    """Obeys `TryAgain`; any other exception ends a job, unless the database is away, which nobody could be told."""

    def get_retry_decision(self, *, exception: BaseException, job: QueuedJob) -> RetryDecision | None:
        match exception:
            case TryAgain():
                return RetryDecision(retry_at=exception.at)
            case Exception() if is_outage(exception):
                return RetryDecision(retry_in={"seconds": int(pause_after(job.attempts + 1, *_PAUSES))})
            case _:
                return None
