"""A model counts as probed after a probe, or after audio for a listener."""

import asyncio
from typing import Any, cast

import pytest

from lectern.triton import AsyncTriton, Busy
from orchestrator.health.probes import Probes
from orchestrator.health.settings import HealthSettings
from orchestrator.voices.catalog import Catalog

LONG = 60.0  # seconds since the probe, of which there are some milliseconds


class Models:
    """Stands for the catalog and for Triton: models by name, each with what its probe raises."""

    def __init__(self, **models: Exception | None) -> None:
        self._models = models
        self.probed: list[str] = []

    async def models(self) -> list[str]:
        return list(self._models)

    async def probe(self, model: str, *, timeout: float) -> None:  # noqa: ARG002, ASYNC109 - the client's signature
        self.probed.append(model)
        if (error := self._models[model]) is not None:
            raise error


def probes_of(models: Models, **settings: Any) -> Probes:
    return Probes(cast(AsyncTriton, models), cast(Catalog, models), HealthSettings(**settings))


def test_a_model_that_spoke_for_a_listener_needs_no_probe() -> None:
    models = Models(espeak=None, kokoro=Busy("the queue is full", model="kokoro"))
    probes = probes_of(models)
    probes.heard("kokoro")
    asyncio.run(probes.probe_all())
    assert models.probed == ["espeak"]
    assert all(age is not None and age < LONG for age in probes.ages().values())


def test_a_model_that_nobody_heard_for_long_is_probed() -> None:
    models = Models(kokoro=None)
    probes = probes_of(models, probe_seconds=0.001)
    probes.heard("kokoro")
    asyncio.run(asyncio.sleep(0.01))
    asyncio.run(probes.probe_all())
    assert models.probed == ["kokoro"]


@pytest.mark.parametrize("error", [Busy("full", model="kokoro")])
def test_a_model_that_refuses_its_probe_has_not_spoken(error: Exception) -> None:
    probes = probes_of(Models(kokoro=error))
    asyncio.run(probes.probe_all())
    assert probes.ages() == {"kokoro": None}
