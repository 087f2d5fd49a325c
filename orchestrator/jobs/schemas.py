"""The responses of the jobs API."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from orchestrator.lib.errors.problems import FieldError
from orchestrator.lib.schema import Schema

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class JobProgress(Schema):
    """``done`` of ``total``, in units of the kind of job; a total of 0 says that it is not known."""

    done: int
    total: int
    message: Annotated[str, Meta(description="What is being done, for people.")]


class JobProblem(Schema):
    """Why a job failed, and what to do: the fields of a problem response."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None
    retry_after: int | None = None


class JobView(Schema):
    id: UUID
    kind: str
    resource: Annotated[str, Meta(description="The path of what the job makes.")]
    state: Annotated[State, Meta(description="queued, running, then succeeded, failed or cancelled.")]
    progress: JobProgress
    error: Annotated[JobProblem | None, Meta(description="Of a failed job.")]
    version: Annotated[int, Meta(description="Grows with each change; the id of its event.")]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobPage(Schema):
    items: list[JobView]
    next: Annotated[UUID | None, Meta(description="Send it as 'after' for the next page.")]
