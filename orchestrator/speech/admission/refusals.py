"""What is told to those who are refused: when to come again, each behind those who were told before.

Were all told the same time, they would come at once and find room for one.
"""

import math
from typing import Final, NamedTuple
from uuid import UUID

from orchestrator.lib import metrics
from orchestrator.lib.errors.problems import Busy
from orchestrator.speech.admission.fair_queue import QueuedSegment

_LONGEST: Final = 600.0  # seconds; what is further away nobody can foresee


class _Told(NamedTuple):
    account: UUID
    work: float
    at: float


class Refusals:
    """Those of one model."""

    def __init__(self, model: str, most: int) -> None:
        """``most``: of one account are remembered. One that does not heed what it is told keeps nobody out for long."""
        self._model = model
        self._most = most
        self._told: list[_Told] = []

    def refuse(self, segment: QueuedSegment, now: float, *, wait: float, speed: float) -> Busy:
        """``wait``: seconds until there is room for one. ``speed``: seconds of speech that are made in a second."""
        account = segment.requester.account
        self._told = [told for told in self._told if told.at > now]
        wait = max(1.0, wait + self._work_before(account) / speed)
        if sum(told.account == account for told in self._told) < self._most:
            self._told.append(_Told(account, segment.work, now + wait))
        metrics.REFUSED.labels(self._model, segment.requester.lane).inc()
        return Busy(
            f"The model '{self._model}' has as much to do as it can take. Try again after the time that the Retry-After"
            " header says.",
            retry_after=math.ceil(min(wait, _LONGEST)),
        )

    def _work_before(self, account: UUID) -> float:
        """Returns the work of those told before: of the account itself, and of others as many and one more."""
        by_account: dict[UUID, list[float]] = {}
        for told in self._told:
            by_account.setdefault(told.account, []).append(told.work)
        own = by_account.pop(account, [])
        return sum(own) + sum(sum(works[: len(own) + 1]) for works in by_account.values())
