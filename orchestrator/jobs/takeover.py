"""Jobs of workers that died: another worker runs them, unless they have killed too many."""

from typing import Final

import msgspec
import structlog
from procrastinate.jobs import Job as QueuedJob
from procrastinate.jobs import Status

from orchestrator.jobs.queue import PROCRASTINATE
from orchestrator.jobs.retry import MOST_TRIES
from orchestrator.lib import metrics
from orchestrator.lib.database import DB, run
from orchestrator.lib.errors.problem_details import summary
from orchestrator.lib.errors.problems import Problem

_LOCK: Final = 0x1EC7E3  # any number of its own
_TRY_LOCK: Final = "SELECT pg_try_advisory_xact_lock({}) AS ours"
_TAKE_OVER: Final = (
    "UPDATE job SET run = NULL, state = CASE WHEN cancel_requested THEN 'cancelled' WHEN tries >= {} THEN 'failed'"
    " ELSE 'queued' END, error = CASE WHEN tries >= {} AND NOT cancel_requested THEN {}::jsonb END,"
    " finished_at = CASE WHEN cancel_requested OR tries >= {} THEN now() END"
    " WHERE id = {}::text::uuid AND state IN ('queued', 'running') RETURNING state"
)

log = structlog.stdlib.get_logger("lectern.jobs")


class WorkerDied(Problem):
    """The worker died each time that it ran this job. Whoever runs this server finds the job's id in its log."""


async def take_over_stalled(seconds: float) -> None:
    """Puts the jobs of workers that have been silent for so long back into the queue.

    One worker at a time: a second one with the same list would take a job from the worker that runs it by then.
    """
    async with DB.transaction():
        if not (await run(_TRY_LOCK, _LOCK))[0]["ours"]:
            return
        for job in await PROCRASTINATE.job_manager.get_stalled_jobs(seconds_since_heartbeat=seconds):
            await _take_over(job)


async def _take_over(job: QueuedJob) -> None:
    manager = PROCRASTINATE.job_manager
    outcome = await _outcome(job)
    log.warning("job of a dead worker", job=job.task_kwargs.get("job"), kind=job.task_name, outcome=outcome)
    metrics.JOBS.labels(job.task_name, "taken over" if outcome == "queued" else outcome).inc()
    match outcome:
        case "queued":
            await manager.retry_job(job)
        case "failed":
            log.error(
                "job failed for good, as each worker died of it: `python -m orchestrator jobs` lists and retries these",
                job=job.task_kwargs.get("job"),
                kind=job.task_name,
            )
            await manager.finish_job(job, Status.FAILED, delete_job=False)
        case _:
            await manager.finish_job(job, Status.SUCCEEDED, delete_job=True)


async def _outcome(job: QueuedJob) -> str:
    """Returns what becomes of the job, and says so in its row."""
    if (known := job.task_kwargs.get("job")) is None:  # periodic
        return "queued" if job.attempts + 1 < MOST_TRIES else "failed"
    problem = msgspec.json.encode(summary(WorkerDied())).decode()
    rows = await run(_TAKE_OVER, MOST_TRIES, MOST_TRIES, problem, MOST_TRIES, known)
    return str(rows[0]["state"]) if rows else "ended"
