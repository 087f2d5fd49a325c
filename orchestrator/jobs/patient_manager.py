"""Procrastinate's manager of jobs, which waits for a database that is away.

Procrastinate's own ends the worker then, with all jobs that it runs; or, worse, only its heartbeat, so that others take
its jobs while it goes on.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import asyncpg
import structlog
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job as QueuedJob
from procrastinate.jobs import Status
from procrastinate.manager import JobManager

from orchestrator.lib.database import is_outage, run

_SUPERSEDE: Final = (
    "UPDATE job SET state = 'cancelled', message = 'A later job does the same.', finished_at = now(), run = NULL"
    " WHERE queue_id = {} AND state IN ('queued', 'running')"
)

log = structlog.stdlib.get_logger("lectern.jobs")


class PatientManager(JobManager):
    def __init__(self, connector: BaseConnector) -> None:
        super().__init__(connector)
        self.running: set[int | None] = set()
        """The jobs that this process runs."""
        self._in_doubt: set[int | None] = set()  # workers of this process with jobs that they may not know of

    async def update_heartbeat(self, worker_id: int) -> None:
        with self._patience("no sign of life could be given", worker_id):
            await super().update_heartbeat(worker_id)

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> QueuedJob | None:
        """Returns None also while the database is away: the worker asks again soon."""
        with self._patience("jobs could not be looked for", worker_id):  # a job may be given, and the answer lost
            if worker_id in self._in_doubt:
                await self._give_back_unknown(worker_id)
            return await super().fetch_job(queues, worker_id)
        return None

    async def finish_job(self, job: QueuedJob, status: Status, delete_job: bool) -> None:  # noqa: FBT001 - as the base
        with self._patience("the end of a job could not be told", job.worker_id):
            await super().finish_job(job, status, delete_job)

    async def retry_job(self, job: QueuedJob, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        """Drops the job if another of its queueing lock waits already: that one does the same.

        Procrastinate itself would leave it as running for ever.
        """
        with self._patience("a job could not be put back", job.worker_id):
            try:
                await super().retry_job(job, *arguments, **options)
            except UniqueViolation:
                await run(_SUPERSEDE, job.id)
                await super().finish_job(job, Status.ABORTED, delete_job=True)

    async def _give_back_unknown(self, worker_id: int) -> None:
        """Puts back what the database takes for running here and is not. Whoever runs it finds whether it has ended."""
        self._in_doubt.discard(worker_id)
        for job in await self.list_jobs_async(status="doing", worker_id=worker_id):
            if job.id not in self.running:
                await self.retry_job(job)

    @contextmanager
    def _patience(self, complaint: str, worker_id: int | None) -> Iterator[None]:
        """Ends an outage here, with this worker in doubt."""
        try:
            yield
        except asyncpg.RaiseError as error:  # by Procrastinate's functions, if the job has ended meanwhile
            log.warning(complaint, error=str(error))
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning(complaint, error=repr(error))
            self._in_doubt.add(worker_id)
