"""One run of a job, from its start to its outcome, as the account sees it.

The row in `job` is the truth: a job that Procrastinate starts again, because a worker died between the two, finds
there that it has ended.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID, uuid4

import msgspec
import structlog

from orchestrator.accounts.requester import Requester
from orchestrator.jobs.retry import Failure
from orchestrator.lib.database import is_outage, run
from orchestrator.lib.errors.problem_details import summary

_WRITE_SECONDS: Final = 0.5  # between two reports of progress

_BEGIN: Final = (
    "UPDATE job SET state = 'running', run = {}, tries = tries + 1, done = 0, total = 0, message = '',"
    " started_at = coalesce(started_at, now())"
    " FROM account WHERE job.id = {} AND account.id = job.account"
    " AND state IN ('queued', 'running') AND NOT cancel_requested"
    " RETURNING job.account, account.plan, kind, resource, tries, job.created_at"
)
_PROGRESS: Final = "UPDATE job SET done = {}, total = {}, message = {} WHERE id = {} AND run = {} AND state = 'running'"
_END: Final = (
    "UPDATE job SET state = {}, error = {}::jsonb, finished_at = now(), run = NULL WHERE id = {} AND run = {}"
    " RETURNING id"
)
_QUEUE: Final = (
    "UPDATE job SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'queued' END,"
    " finished_at = CASE WHEN cancel_requested THEN now() END, tries = tries - {}, message = {}, run = NULL"
    " WHERE id = {} AND run = {} RETURNING state"
)

log = structlog.stdlib.get_logger("lectern.jobs")


class Progress:
    """What a job tells of itself: cheap, as only the latest is written, twice a second at most."""

    def __init__(self, job: UUID, run: UUID) -> None:
        self._job = job
        self._run = run
        self._latest: tuple[int, int, str] | None = None
        self._told = asyncio.Event()

    def update(self, done: int, total: int, message: str = "") -> None:
        """``message`` says what is being done, for people."""
        self._latest = (done, total, message)
        self._told.set()

    @asynccontextmanager
    async def written(self) -> AsyncIterator[None]:
        """Writes what is told in the block, apart from any transaction of the block."""
        writer = asyncio.create_task(self._keep_writing())
        try:
            yield
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        await self._write()

    async def _keep_writing(self) -> None:
        while True:
            await self._told.wait()
            self._told.clear()
            await self._write()
            await asyncio.sleep(_WRITE_SECONDS)

    async def _write(self) -> None:
        latest, self._latest = self._latest, None
        if latest is None:
            return
        try:
            await run(_PROGRESS, *latest, self._job, self._run)
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("progress not written", job=str(self._job), error=repr(error))


class JobRun(msgspec.Struct, frozen=True, kw_only=True):
    """What the function of a job gets."""

    id: UUID
    requester: Requester
    kind: str
    resource: str
    tries: int
    created_at: datetime
    token: UUID
    progress: Progress

    @classmethod
    async def begin(cls, job: UUID) -> Self | None:
        """Returns None if there is nothing to do: the job has ended, or its account is gone."""
        token = uuid4()
        for row in await run(_BEGIN, token, job):
            requester = Requester(account=row.pop("account"), plan=row.pop("plan"), lane="batch")
            return cls(id=job, requester=requester, token=token, progress=Progress(job, token), **row)
        return None

    async def succeed(self) -> None:
        await self._end("succeeded", None)

    async def be_cancelled(self) -> None:
        await self._end("cancelled", None)

    async def fail(self, error: Exception, failure: Failure) -> bool:
        """Returns whether the job has failed for good, and is not to be run again."""
        problem = summary(error)
        if failure.pause is None:
            await self._end("failed", problem)
            return True
        return not await self.give_back(excused=failure.excused, message=f"Waiting to try again: {problem['detail']}")

    async def give_back(self, *, excused: bool, message: str = "") -> bool:
        """Puts the job back into the queue. Returns False if it was to be cancelled, or runs elsewhere by now."""
        rows = await run(_QUEUE, 1 if excused else 0, message, self.id, self.token)
        return bool(rows) and rows[0]["state"] == "queued"

    async def _end(self, state: str, problem: dict[str, Any] | None) -> None:
        error = msgspec.json.encode(problem).decode() if problem is not None else None
        if not await run(_END, state, error, self.id, self.token):
            log.warning("this job was given to another worker meanwhile", job=str(self.id), kind=self.kind)
