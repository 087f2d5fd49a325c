"""When a model counts as proven: a proof of its own, or audio that a listener had of it."""

import asyncio
from typing import Any, cast

import pytest

from lectern.triton import AsyncTriton, Busy
from orchestrator.health.probes import Probes
from orchestrator.health.settings import HealthSettings
from orchestrator.voices.catalog import Catalog

LONG = 60.0  # seconds since the probe, of which there are some milliseconds


class Models:
    """Stands for the catalog and for Triton: models by name, each with what a proof of it raises."""

    def __init__(self, **models: Exception | None) -> None:
        self._models = models
        self.proven: list[str] = []

    async def models(self) -> list[str]:
        return list(self._models)

    async def probe(self, model: str, *, timeout: float) -> None:  # noqa: ARG002, ASYNC109 - the client's signature
        self.proven.append(model)
        if (error := self._models[model]) is not None:
            raise error


def proofs_of(models: Models, **settings: Any) -> Probes:
    return Probes(cast(AsyncTriton, models), cast(Catalog, models), HealthSettings(**settings))


def test_a_model_that_spoke_for_a_listener_needs_no_proof() -> None:
    models = Models(espeak=None, kokoro=Busy("the queue is full", model="kokoro"))
    probes = proofs_of(models)
    probes.heard("kokoro")
    asyncio.run(probes._prove_all())
    assert models.proven == ["espeak"]
    assert all(age is not None and age < LONG for age in probes.ages().values())


def test_a_model_that_nobody_heard_for_long_is_proven() -> None:
    models = Models(kokoro=None)
    probes = proofs_of(models, probe_seconds=0.001)
    probes.heard("kokoro")
    asyncio.run(asyncio.sleep(0.01))
    asyncio.run(probes._prove_all())
    assert models.proven == ["kokoro"]


@pytest.mark.parametrize("error", [Busy("full", model="kokoro")])
def test_a_model_that_only_refuses_is_not_proven(error: Exception) -> None:
    probes = proofs_of(Models(kokoro=error))
    asyncio.run(probes._prove_all())
    assert probes.ages() == {"kokoro": None}
