"""Proof that each model speaks: Triton goes on calling a model ready when its process is dead."""

import asyncio
import time

import structlog

from lectern.triton import AsyncTriton, Busy, InvalidRequest, TritonError
from orchestrator.health.settings import HealthSettings
from orchestrator.lib import metrics
from orchestrator.voices.catalog import Catalog

log = structlog.stdlib.get_logger("lectern.health")


class Probes:
    def __init__(self, client: AsyncTriton, catalog: Catalog, settings: HealthSettings) -> None:
        self._triton = client
        self._catalog = catalog
        self._settings = settings
        self._proven_at: dict[str, float] = {}

    def heard(self, model: str) -> None:
        """Note that a model has spoken for a listener, which proves as much; a busy one has no time for more probes."""
        self._proven_at[model] = time.monotonic()

    def ages(self) -> dict[str, float | None]:
        """Seconds since each known model last spoke; None for one that has not spoken yet."""
        now = time.monotonic()
        return {model: now - at if at > float("-inf") else None for model, at in self._proven_at.items()}

    async def keep_probing(self) -> None:
        """Runs for as long as the process serves."""
        while True:
            try:
                await self._prove_all()
            except Exception:  # this task must outlive whatever one round brings
                log.exception("models could not be proven")
            # Until every model has spoken once, somebody is waiting for the server to become ready.
            ages = self.ages().values()
            settled = ages and None not in ages
            await asyncio.sleep(self._settings.probe_seconds if settled else min(0.25, self._settings.probe_seconds))

    async def _prove_all(self) -> None:
        models = await self._catalog.models()
        self._proven_at = {model: self._proven_at.get(model, float("-inf")) for model in models}
        ages = self.ages()
        silent = [model for model in models if (age := ages[model]) is None or age >= self._settings.probe_seconds]
        await asyncio.gather(*(self._prove(model) for model in silent))
        for model, age in self.ages().items():
            metrics.PROBE_AGE.labels(model).set(float("inf") if age is None else age)

    async def _prove(self, model: str) -> None:
        try:
            await self._triton.probe(model, timeout=self._settings.probe_timeout)
        except Busy:
            log.info("model too busy to prove itself", model=model)
        except InvalidRequest as error:  # such as of a model that speaks in no voice of its own: it answers
            log.debug("model speaks nothing without being told more", model=model, error=str(error))
            self._proven_at[model] = time.monotonic()
        except TritonError as error:
            log.warning("model did not speak", model=model, error=str(error))
        else:
            self._proven_at[model] = time.monotonic()
