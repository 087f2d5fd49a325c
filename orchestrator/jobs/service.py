"""What an account may do with its jobs. To everybody else, a job does not exist: `NotFound`."""

from typing import Any, Final
from uuid import UUID

import msgspec

from orchestrator.accounts.requester import Requester
from orchestrator.jobs import queue
from orchestrator.jobs.schemas import JobPage, JobView, State
from orchestrator.lib.database import run
from orchestrator.lib.errors.problems import Conflict, NotFound

ENDED: Final = ("succeeded", "failed", "cancelled")
_VIEW: Final = (
    "SELECT id, kind, resource, state, done, total, message, error, version, created_at, started_at, finished_at"
    " FROM job WHERE account = {}"
)
_ONE: Final = f"{_VIEW} AND id = {{}}"
_PAGE: Final = (
    f"{_VIEW} AND ({{}}::text IS NULL OR state = {{}}) AND ({{}}::uuid IS NULL OR id < {{}})"
    " ORDER BY id DESC LIMIT {}"
)


async def get(requester: Requester, job: UUID) -> JobView:
    """Raises `NotFound`."""
    for row in await run(_ONE, requester.account, job):
        return _view(row)
    raise NotFound(f"There is no job {job}. Finished jobs are deleted after some weeks.")


async def list_page(requester: Requester, *, state: State | None, limit: int, after: UUID | None) -> JobPage:
    """Returns a page of the account's jobs, newest first."""
    rows = await run(_PAGE, requester.account, state, state, after, after, limit + 1)
    items = [_view(row) for row in rows[:limit]]
    return JobPage(items=items, next=items[-1].id if len(rows) > limit else None)


async def cancel(requester: Requester, job: UUID) -> JobView:
    """Returns the job, which is cancelled or about to be. Raises `NotFound`, or `Conflict` if it ended otherwise."""
    await get(requester, job)
    await queue.cancel(job)
    view = await get(requester, job)
    if view.state in ("succeeded", "failed"):
        raise Conflict(f"The job has {view.state} already, so there is nothing to cancel.")
    return view


def _view(row: dict[str, Any]) -> JobView:
    progress = {name: row.pop(name) for name in ("done", "total", "message")}
    error = msgspec.json.decode(row["error"]) if row["error"] else None
    return msgspec.convert({**row, "progress": progress, "error": error}, JobView)
