import asyncio
from collections.abc import Awaitable
from typing import Annotated

import structlog
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from msgspec import Meta

from orchestrator.accounts.authentication import NO_KEY, PUBLIC
from orchestrator.health.probes import Probes
from orchestrator.lib.database import run
from orchestrator.lib.object_store import Store
from orchestrator.lib.openapi import VERSION
from orchestrator.lib.schema import Schema
from orchestrator.settings import Settings

_CHECK_SECONDS = 3.0

log = structlog.stdlib.get_logger("lectern.health")


class Check(Schema):
    name: str
    ok: bool
    detail: str
    age_seconds: Annotated[
        float | None, Meta(description="Age of the last probe; null for a check that is made at each request.")
    ] = None


class Readiness(Schema):
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
    responses={503: ResponseSpec(Readiness, description="Not ready; the checks say why", generate_examples=False)},
)
async def readyz(
    settings: NamedDependency[Settings], store: NamedDependency[Store], probes: NamedDependency[Probes]
) -> Response[Readiness]:
    database, audio_store = await asyncio.gather(_check("database", run("SELECT 1")), _check("store", store.probe()))
    models = _models(probes, settings.health.stale_seconds)
    checks = [database, audio_store, *models]
    ready = all(check.ok for check in checks)
    body = Readiness(status="ready" if ready else "unready", version=VERSION, checks=checks)
    return Response(body, status_code=200 if ready else 503)


async def _check(name: str, work: Awaitable[object]) -> Check:
    try:
        await asyncio.wait_for(work, _CHECK_SECONDS)
    except Exception as error:  # noqa: BLE001 - any failure means not ready
        log.warning("not ready", check=name, error=repr(error))
        return Check(name=name, ok=False, detail=f"{type(error).__name__}; the server's log says more")
    return Check(name=name, ok=True, detail="answers")


def _models(probes: Probes, stale: float) -> list[Check]:
    ages = probes.ages()
    if not ages:
        return [Check(name="models", ok=False, detail="Triton has no voice model ready")]
    return [
        Check(
            name=f"model {model}",
            ok=age is not None and age <= stale,
            detail="has not spoken yet" if age is None else "spoke" if age <= stale else "no longer speaks",
            age_seconds=None if age is None else round(age, 1),
        )
        for model, age in ages.items()
    ]
