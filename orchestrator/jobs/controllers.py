from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from orchestrator.accounts.requester import Requester
from orchestrator.jobs import service
from orchestrator.jobs.events import EVENT_STREAM, JobEvents, has_nothing_new
from orchestrator.jobs.schemas import JobPage, JobView, State
from orchestrator.lib.errors.problems import bad_field
from orchestrator.lib.streaming import begin
from orchestrator.settings import Settings

_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}  # the second keeps nginx from buffering the events


class JobController(Controller):
    path = "/api/v1/jobs"
    tags = ("Jobs",)

    @get(summary="Your jobs, newest first")
    async def list_jobs(
        self,
        requester: NamedDependency[Requester],
        settings: NamedDependency[Settings],
        job_state: Annotated[State | None, QueryParameter(name="state", description="Only these.")] = None,
        limit: Annotated[int, QueryParameter(ge=1, description="Items on one page.")] = 50,
        after: Annotated[UUID | None, QueryParameter(description="The 'next' of the page before.")] = None,
    ) -> JobPage:
        if limit > settings.documents.max_page:
            raise bad_field("limit", f"must be from 1 to {settings.documents.max_page}", where="query")
        return await service.list_page(requester, state=job_state, limit=limit, after=after)

    @get("/{job_id:uuid}", summary="One job")
    async def get_job(self, job_id: FromPath[UUID], requester: NamedDependency[Requester]) -> JobView:
        return await service.get(requester, job_id)

    @get(
        "/{job_id:uuid}/events",
        summary="Follow a job: its state and progress, as events, until it has ended",
        description="Each event is the job as GET returns it, with its version as id. After a reconnection with"
        " Last-Event-ID the events go on; 204 says that there are no more.",
        media_type=EVENT_STREAM,
        status_code=HTTP_200_OK,
    )
    async def follow_job(
        self,
        request: Request[Any, Any, Any],
        job_id: FromPath[UUID],
        requester: NamedDependency[Requester],
        job_events: NamedDependency[JobEvents],
        last_event_id: Annotated[
            int | None, HeaderParameter(name="Last-Event-ID", description="The id of the last event received.")
        ] = None,
    ) -> Stream | Response[None]:
        view = await service.get(requester, job_id)
        if has_nothing_new(view, last_event_id):
            return Response(None, status_code=HTTP_204_NO_CONTENT)  # else EventSource would connect for ever
        events = job_events.follow(requester, job_id, last_event_id)
        return await begin(request, events, EVENT_STREAM, _HEADERS)

    @post("/{job_id:uuid}/cancel", summary="Cancel a job", status_code=HTTP_200_OK)
    async def cancel_job(self, job_id: FromPath[UUID], requester: NamedDependency[Requester]) -> JobView:
        """A queued job is cancelled at once, a running one within a second: follow it, or ask again."""
        return await service.cancel(requester, job_id)
