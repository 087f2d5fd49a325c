"""Runs the jobs in Postgres. Apart from `lib.jobs`, so that the web process need not import Procrastinate."""

import asyncio

import procrastinate
import structlog
from procrastinate import App, PsycopgConnector

from orchestrator.lib.jobs import QUEUE
from orchestrator.lib.settings import DatabaseSettings, WorkerSettings

log = structlog.stdlib.get_logger("lectern.jobs")


def worker_app(settings: DatabaseSettings) -> App:
    return App(connector=PsycopgConnector(conninfo=settings.url.reveal(), min_size=1, max_size=4))


async def run_worker(app: App, settings: WorkerSettings) -> None:
    """Runs jobs until SIGTERM or SIGINT, then gives running jobs 10 s to finish."""
    async with app.open_async(), asyncio.TaskGroup() as tasks:
        rescue = tasks.create_task(_rescue_stalled(app, settings))
        await app.run_worker_async(
            queues=[QUEUE],
            concurrency=settings.concurrency,
            update_heartbeat_interval=settings.heartbeat_seconds,
            stalled_worker_timeout=settings.stalled_seconds,
            shutdown_graceful_timeout=10,
            delete_jobs="successful",
        )
        rescue.cancel()


async def _rescue_stalled(app: App, settings: WorkerSettings) -> None:
    """Puts the jobs of a worker without heartbeat back into the queue: a killed worker cannot do that itself."""
    while True:
        try:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=settings.stalled_seconds):
                log.warning("job taken over from a silent worker", job=job.id, task=job.task_name)
                await app.job_manager.retry_job(job)
        except procrastinate.exceptions.ConnectorException as error:
            # The database is away; if it stays away, the worker itself ends.
            log.warning("stalled jobs cannot be looked up", error=str(error))
        await asyncio.sleep(settings.stalled_seconds / 3)
