"""Probes whether each model speaks: Triton still reports a model as ready when its process is dead."""

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
        self._spoke_at: dict[str, float] = {}

    def heard(self, model: str) -> None:
        """Records that a model spoke for a listener, which counts as a probe: a busy model has no time for probes."""
        self._spoke_at[model] = time.monotonic()

    def ages(self) -> dict[str, float | None]:
        """Returns the seconds since each known model last spoke; None for a model that has not spoken yet."""
        now = time.monotonic()
        return {model: now - at if at > float("-inf") else None for model, at in self._spoke_at.items()}

    async def keep_probing(self) -> None:
        """Probes until cancelled."""
        while True:
            try:
                await self.probe_all()
            except Exception:  # a failed round must not end this task
                log.exception("models could not be probed")
            # Until every model has spoken once, somebody waits for the server to become ready.
            ages = self.ages().values()
            all_spoke = ages and None not in ages
            await asyncio.sleep(self._settings.probe_seconds if all_spoke else min(0.25, self._settings.probe_seconds))

    async def probe_all(self) -> None:
        """Probes each model that has not spoken within the interval."""
        models = await self._catalog.models()
        self._spoke_at = {model: self._spoke_at.get(model, float("-inf")) for model in models}
        ages = self.ages()
        silent = [model for model in models if (age := ages[model]) is None or age >= self._settings.probe_seconds]
        await asyncio.gather(*(self._probe(model) for model in silent))
        for model, age in self.ages().items():
            metrics.PROBE_AGE.labels(model).set(float("inf") if age is None else age)

    async def _probe(self, model: str) -> None:
        try:
            await self._triton.probe(model, timeout=self._settings.probe_timeout)
        except Busy:
            log.info("model too busy for a probe", model=model)
        except InvalidRequest as error:  # such as a model without a default voice: it answers
            log.debug("model cannot speak by default", model=model, error=str(error))
            self._spoke_at[model] = time.monotonic()
        except TritonError as error:
            log.warning("model did not speak", model=model, error=str(error))
        else:
            self._spoke_at[model] = time.monotonic()
