"""Enqueues jobs in Postgres; worker processes run them (`lib.worker`)."""

from typing import Any, Final

import msgspec

from orchestrator.lib.database import run

QUEUE: Final = "default"
_DEFER: Final = (
    "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW({}, {}, 0, NULL, NULL, {}::jsonb, NULL)]"
    "::procrastinate_job_to_defer_v1[])"
)


async def enqueue(task: str, **arguments: Any) -> None:  # noqa: ANN401 - whatever the task takes, as JSON
    """Enqueues a job in the transaction in progress: the job exists if and only if the transaction commits."""
    await run(_DEFER, QUEUE, task, msgspec.json.encode(arguments).decode())
