"""The worker: runs the jobs of its kinds, runs periodic work once among all workers, takes over from dead ones."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import structlog
from procrastinate import JobContext
from procrastinate.exceptions import AlreadyEnqueued, JobAborted
from procrastinate.job_context import AbortReason

from orchestrator.jobs.queue import MANAGER, PROCRASTINATE, Kind
from orchestrator.jobs.retry import Strategy, TryAgain, judge
from orchestrator.jobs.run import JobRun
from orchestrator.jobs.settings import WorkerSettings
from orchestrator.jobs.takeover import take_over_stalled
from orchestrator.lib import metrics
from orchestrator.lib.database import is_outage
from orchestrator.lib.object_store import StoreFailed

_HOUSEKEEPING: Final = "housekeeping"
_HOUSEKEEPING_CONCURRENCY: Final = 2

log = structlog.stdlib.get_logger("lectern.jobs")


class GaveUp(Exception):  # noqa: N818
    """Tells Procrastinate to keep the job as failed, where an operator finds it."""


class Worker:
    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._periodic: list[tuple[str, float, bool]] = []

    def add(self, kind: Kind, work: Callable[..., Awaitable[None]]) -> None:
        """``work`` gets the `JobRun` and the arguments that were enqueued. It may run any number of times."""

        async def run(context: JobContext, /, job: str, **arguments: Any) -> None:  # noqa: ANN401
            with _registered(context):
                current = await JobRun.begin(UUID(job))
                if current is not None:
                    await _run(current, context, lambda: work(current, **arguments))

        PROCRASTINATE.task(name=kind.name, queue=kind.queue, pass_context=True, retry=Strategy())(run)

    def every(
        self, seconds: float, name: str, work: Callable[[], Awaitable[object]], *, at_start: bool = False
    ) -> None:
        """Has one of all workers do this every so many seconds, but never two at a time. A failed run is logged.

        ``at_start``: also when a worker starts.
        """

        async def run(context: JobContext, /, timestamp: int | None = None) -> None:  # noqa: ARG001 - Procrastinate's
            try:
                with _registered(context):
                    await work()
            except Exception as error:  # the next run is the second try
                metrics.JOBS.labels(name, "failed").inc()
                if is_outage(error) or isinstance(error, StoreFailed):
                    log.warning("periodic work failed", work=name, error=repr(error.__cause__ or error))
                else:
                    log.exception("periodic work failed", work=name)
            else:
                metrics.JOBS.labels(name, "succeeded").inc()

        PROCRASTINATE.task(
            name=name, queue=_HOUSEKEEPING, lock=name, queueing_lock=name, pass_context=True, retry=Strategy()
        )(run)
        self._periodic.append((name, max(seconds, 1.0), at_start))

    async def run(self) -> None:
        """Runs until SIGTERM or SIGINT, then gives running jobs some seconds. Raises if it cannot go on."""
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        queues = {
            "default": self._settings.concurrency,
            "speech": self._settings.speech_concurrency,
            _HOUSEKEEPING: _HOUSEKEEPING_CONCURRENCY,
        }
        async with asyncio.TaskGroup() as tasks:
            running = [
                *(tasks.create_task(self._work(queue, count)) for queue, count in queues.items()),
                tasks.create_task(self._keep_taking_over()),
                *(tasks.create_task(_keep_enqueuing(*one)) for one in self._periodic),
            ]
            await stopped.wait()
            for task in running:
                task.cancel()

    async def _work(self, queue: str, concurrency: int) -> None:
        await PROCRASTINATE.run_worker_async(
            name=queue,
            queues=[queue],
            concurrency=concurrency,
            listen_notify=queue != _HOUSEKEEPING,
            install_signal_handlers=False,
            fetch_job_polling_interval=self._settings.poll_seconds,
            abort_job_polling_interval=self._settings.poll_seconds / 4,
            update_heartbeat_interval=self._settings.heartbeat_seconds,
            stalled_worker_timeout=self._settings.stalled_seconds,
            shutdown_graceful_timeout=self._settings.grace_seconds,
            delete_jobs="successful",
        )
        raise RuntimeError(f"the worker of the queue '{queue}' cannot go on: see the log above")

    async def _keep_taking_over(self) -> None:
        while True:
            try:
                await take_over_stalled(self._settings.stalled_seconds)
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("jobs of dead workers cannot be looked up", error=repr(error))
                await asyncio.sleep(self._settings.stalled_seconds)  # in which the living can say that they are
            await asyncio.sleep(self._settings.heartbeat_seconds)


@contextmanager
def _registered(context: JobContext) -> Iterator[None]:
    MANAGER.running.add(context.job.id)
    try:
        yield
    finally:
        MANAGER.running.discard(context.job.id)


async def _run(job: JobRun, context: JobContext, work: Callable[[], Awaitable[None]]) -> None:
    """Raises what makes Procrastinate do the same as the account sees."""
    try:
        async with job.progress.written():
            await work()
    except asyncio.CancelledError:
        # Again cancelled, it would leave the account in doubt: the outcome is written whatever comes.
        await asyncio.shield(_stopped(job, by_account=context.abort_reason() is AbortReason.USER_REQUEST))
    except Exception as error:  # noqa: BLE001 - every failure is judged
        await _failed(job, context, error)
    else:
        await job.succeed()
        metrics.JOBS.labels(job.kind, "succeeded").inc()


async def _stopped(job: JobRun, *, by_account: bool) -> None:
    if not by_account and await job.give_back(excused=True):
        raise TryAgain(0)
    if by_account:
        await job.be_cancelled()
    metrics.JOBS.labels(job.kind, "cancelled").inc()
    raise JobAborted


async def _failed(job: JobRun, context: JobContext, error: Exception) -> None:
    failure = judge(
        error, tries=job.tries, retries=context.job.attempts, age=datetime.now(UTC) - job.created_at.astimezone(UTC)
    )
    ended = await job.fail(error, failure)
    about = {"job": str(job.id), "kind": job.kind, "tries": job.tries, "error": repr(error)}
    if not ended and failure.pause is not None:
        metrics.JOBS.labels(job.kind, "retried").inc()
        log.warning("job failed, and is tried again", **about, pause=failure.pause, exc_info=not failure.excused)
        raise TryAgain(failure.pause)
    metrics.JOBS.labels(job.kind, "failed").inc()
    if failure.dead:
        log.error("job failed for good: `python -m orchestrator jobs` lists and retries these", **about, exc_info=error)
        raise GaveUp(str(job.id)) from None
    log.info("job failed", **about)


async def _keep_enqueuing(name: str, seconds: float, at_start: bool) -> None:  # noqa: FBT001
    """Enqueues periodic work; of all workers that do so for the same time, the database takes one."""
    task = PROCRASTINATE.tasks[name]
    while True:
        now = time.time()
        due = int(now // seconds * seconds)
        deferrer = task.configure(task_kwargs={"timestamp": due})
        try:
            if at_start:
                await deferrer.defer_async()
            else:
                await deferrer.job_manager.defer_periodic_job(deferrer.job, periodic_id="", defer_timestamp=due)
        except AlreadyEnqueued:
            pass  # a run that is late is enough
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("periodic work not enqueued", work=name, error=repr(error))
        at_start = False
        await asyncio.sleep(due + seconds - now)
