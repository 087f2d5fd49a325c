"""The queue of jobs: a service enqueues a job in its own transaction, or cancels one; the worker runs it."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from procrastinate import App
from procrastinate.exceptions import AlreadyEnqueued

from orchestrator.jobs.connector import AsyncpgConnector
from orchestrator.jobs.patient_manager import PatientManager
from orchestrator.jobs.tables import Job
from orchestrator.lib.database import DB, run
from orchestrator.lib.ids import new_id

PROCRASTINATE: Final = App(connector=AsyncpgConnector())
MANAGER: Final = PatientManager(PROCRASTINATE.connector)
PROCRASTINATE.job_manager = MANAGER

_REQUEST_CANCEL: Final = (
    "UPDATE job SET cancel_requested = true,"
    " state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,"
    " finished_at = CASE state WHEN 'queued' THEN now() END"
    " WHERE id = {} AND state IN ('queued', 'running') RETURNING queue_id"
)


class Kind(msgspec.Struct, frozen=True):
    """What a job does: the worker knows how (`Worker.add`)."""

    name: str
    queue: str = "default"
    """``default`` for what needs this machine; ``speech`` for what mostly waits for a model."""
    priority: int = 0


async def enqueue(
    kind: Kind,
    account: UUID,
    *,
    resource: str,
    lock: str | None = None,
    queueing_lock: str | None = None,
    schedule_at: datetime | None = None,
    **arguments: Any,  # noqa: ANN401 - whatever the job takes, as JSON
) -> UUID | None:
    """Enqueues a job in the transaction in progress: it exists if and only if that commits. Returns its id.

    ``resource`` is the path of what the job makes. Jobs of one ``lock`` run one after another. None: a job with this
    ``queueing_lock`` is waiting already, and the transaction goes on.
    """
    job = new_id()
    async with DB.transaction() as transaction:
        deferrer = PROCRASTINATE.configure_task(
            kind.name,
            queue=kind.queue,
            priority=kind.priority,
            lock=lock,
            queueing_lock=queueing_lock,
            schedule_at=schedule_at,
            connection=transaction.connection,
        )
        try:
            async with transaction.connection.transaction():  # a savepoint, to which a refusal rolls back
                queue_id = await deferrer.defer_async(job=str(job), **arguments)
        except AlreadyEnqueued:
            return None
        await Job(id=job, account=account, kind=kind.name, resource=resource, queue_id=queue_id).save()
    return job


async def cancel(job: UUID) -> None:
    """Cancels a queued job at once, and asks the worker to cancel a running one; a finished one stays as it is."""
    async with DB.transaction() as transaction:
        for row in await run(_REQUEST_CANCEL, job):
            await PROCRASTINATE.job_manager.cancel_job_by_id_async(
                row["queue_id"], abort=True, connection=transaction.connection
            )
