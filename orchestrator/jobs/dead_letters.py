"""Jobs that failed for good: what an operator sees of them, and the second chance. Also the end of what is known."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Job as QueuedJob

from orchestrator.jobs.queue import PROCRASTINATE
from orchestrator.lib import metrics
from orchestrator.lib.database import DB, run

_ABOUT: Final = "SELECT id, account, resource, error, tries, finished_at FROM job WHERE id = ANY({}::uuid[])"
_QUEUE: Final = (
    "UPDATE job SET state = 'queued', error = NULL, tries = 0, finished_at = NULL WHERE id = {} AND state = 'failed'"
)
_DELETE: Final = "DELETE FROM job WHERE finished_at < now() - make_interval(days => {})"


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    """By which an operator names it: periodic work has no other."""
    kind: str
    job: UUID | None
    account: UUID | None = None
    resource: str | None = None
    tries: int
    failed_at: datetime | None = None
    error: str | None = None


async def list_all() -> list[DeadLetter]:
    """Returns the jobs that failed for good, oldest first."""
    failed = await _failed()
    ids = [UUID(str(one.task_kwargs["job"])) for one in failed if "job" in one.task_kwargs]
    known = {row["id"]: row for row in await run(_ABOUT, ids)}
    return [_letter(one, known) for one in failed]


async def retry(number: int) -> bool:
    """Queues a job that failed for good. Returns False if there is none of this number, or one like it waits."""
    found = next((one for one in await _failed() if one.id == number), None)
    if found is None:
        return False
    try:
        async with DB.transaction():
            # First the row, on which whoever runs the job has to wait.
            if (job := found.task_kwargs.get("job")) is not None:
                await run(_QUEUE, UUID(str(job)))
            await PROCRASTINATE.job_manager.retry_job_by_id_async(number, retry_at=datetime.now(UTC))
    except UniqueViolation:
        return False
    return True


async def show_number() -> None:
    """Sets the metric."""
    metrics.DEAD_LETTERS.set(len(await _failed()))


async def delete_old(days: int) -> None:
    """Deletes finished jobs, from the accounts' lists and from the queue."""
    await run(_DELETE, days)
    await PROCRASTINATE.job_manager.delete_old_jobs(
        nb_hours=24 * days, include_failed=True, include_cancelled=True, include_aborted=True
    )


async def _failed() -> list[QueuedJob]:
    return list(await PROCRASTINATE.job_manager.list_jobs_async(status="failed"))


def _letter(queued: QueuedJob, known: dict[UUID, dict[str, Any]]) -> DeadLetter:
    assert queued.id is not None  # noqa: S101 - it was read from the database
    job = UUID(str(queued.task_kwargs["job"])) if "job" in queued.task_kwargs else None
    row = known.get(job) if job is not None else None
    if row is None:
        return DeadLetter(number=queued.id, kind=queued.task_name, job=job, tries=queued.attempts)
    problem = msgspec.json.decode(row["error"]) if row["error"] else {}
    return DeadLetter(
        number=queued.id,
        kind=queued.task_name,
        job=job,
        account=row["account"],
        resource=row["resource"],
        tries=row["tries"],
        failed_at=row["finished_at"],
        error=problem.get("detail"),
    )
