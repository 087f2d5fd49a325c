"""Whether database, store and models work, checked at most every few seconds, however many ask."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated

import structlog
from msgspec import Meta

from orchestrator.guard.reports import ModelReport, Reports
from orchestrator.health.settings import HealthSettings
from orchestrator.lib import database
from orchestrator.lib.errors.problems import Problem
from orchestrator.lib.object_store import Store
from orchestrator.lib.schema import Schema
from orchestrator.voices.catalog import Catalog

_CHECK_SECONDS = 3.0

log = structlog.stdlib.get_logger("lectern.health")


class Check(Schema):
    name: str
    ok: bool
    detail: str
    age_seconds: Annotated[
        float | None, Meta(description="Seconds since the model last spoke; null for other checks.")
    ] = None


class Readiness:
    """Anybody may ask, so a question costs nothing: the checks are shared while they run, and for a while after."""

    def __init__(
        self,
        store: Store,
        catalog: Catalog,
        models: Reports,
        settings: HealthSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._models = models
        self._seconds = settings.shared_seconds
        self._clock = clock
        self._parts: list[Check] = []
        self._checked_at = float("-inf")
        self._checking = asyncio.Lock()

    async def checks(self) -> list[Check]:
        if self._is_old():
            async with self._checking:
                if self._is_old():
                    self._parts = await self._check_parts()
                    self._checked_at = self._clock()
        return [*self._parts, *self._check_models()]

    def _is_old(self) -> bool:
        return self._clock() - self._checked_at >= self._seconds

    async def _check_parts(self) -> list[Check]:
        found = await asyncio.gather(_check("database", database.probe()), _check("store", self._store.probe()))
        return list(found)

    def _check_models(self) -> list[Check]:
        reports = self._models.all()
        if not reports:
            return [Check(name="models", ok=False, detail=self._models.trouble or "Triton has no voice model ready")]
        return [self._check_model(report) for report in reports.values()]

    def _check_model(self, report: ModelReport) -> Check:
        known = self._catalog.knows(report.model)
        if report.ready:
            detail = "spoke" if known else "its voices are not read yet"
        else:
            said = "has not spoken yet" if report.spoke_seconds_ago is None else "no longer speaks"
            detail = f"{said} ({self._models.trouble or report.state})"
        age = None if report.spoke_seconds_ago is None else round(report.spoke_seconds_ago, 1)
        return Check(name=f"model {report.model}", ok=report.ready and known, detail=detail, age_seconds=age)


async def _check(name: str, work: Awaitable[object]) -> Check:
    try:
        await asyncio.wait_for(work, _CHECK_SECONDS)
    except Exception as error:  # noqa: BLE001 - any failure means not ready
        log.warning("not ready", check=name, error=repr(error))
        told = error.detail if isinstance(error, Problem) else f"{type(error).__name__}; the server's log says more"
        return Check(name=name, ok=False, detail=told)
    return Check(name=name, ok=True, detail="answers")
