from typing import Annotated

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from msgspec import Meta

from orchestrator.accounts.authentication import NO_KEY, PUBLIC
from orchestrator.health.readiness import Check, Readiness
from orchestrator.lib.openapi import VERSION
from orchestrator.lib.schema import Schema


class ReadinessView(Schema):
    status: Annotated[str, Meta(description="ready or unready")]
    version: str
    checks: list[Check]


@get("/healthz", opt=PUBLIC, security=NO_KEY, tags=["Health"], summary="The process is alive", sync_to_thread=False)
def healthz() -> dict[str, str]:
    return {"status": "alive"}


@get(
    "/readyz",
    opt=PUBLIC,
    security=NO_KEY,
    tags=["Health"],
    summary="Database, store and models all work",
    description="The checks are at most some seconds old.",
    responses={503: ResponseSpec(ReadinessView, description="Not ready; the checks say why", generate_examples=False)},
)
async def readyz(readiness: NamedDependency[Readiness]) -> Response[ReadinessView]:
    checks = await readiness.checks()
    ready = all(check.ok for check in checks)
    body = ReadinessView(status="ready" if ready else "unready", version=VERSION, checks=checks)
    return Response(body, status_code=200 if ready else 503)
