"""The catalog keeps the voices of a model that is loaded again, so that requests for it come to one rule of waiting."""

import asyncio
from typing import Any

import pytest

from lectern.triton import Card, CardVoice, ModelInfo
from orchestrator.guard.reports import ModelReport, Reports
from orchestrator.lib.errors.problems import Unavailable
from orchestrator.voices import catalog as module
from orchestrator.voices.catalog import Catalog

pytestmark = pytest.mark.anyio


class Triton:
    def __init__(self, *loaded: str) -> None:
        self.loaded = list(loaded)

    async def models(self) -> list[ModelInfo]:
        return [ModelInfo(model, "1", "READY", "", speaks=True) for model in self.loaded]

    async def card(self, model: str) -> Card:
        return Card(24_000, [CardVoice(f"{model}'s", "en", {})])


async def test_a_model_that_is_loaded_again_stays_known_and_one_that_is_gone_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_FRESH_SECONDS", 0.0)
    triton, reports = Triton("espeak", "hum", "kokoro"), Reports()
    client: Any = triton
    catalog = Catalog(client, reports)
    assert list(await catalog.models()) == ["espeak", "hum", "kokoro"]
    triton.loaded = ["espeak"]
    reports.put(ModelReport(model="kokoro", state="loading", back_in=5))
    assert (await catalog.model("kokoro")).voices.keys() == {"kokoro's"}
    assert sorted(await catalog.models()) == ["espeak", "kokoro"]
    with pytest.raises(Unavailable, match="not loaded at the moment"):
        await catalog.model("hum")


async def test_the_voices_of_a_model_are_read_as_soon_as_it_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_REFRESH_SECONDS", 1000.0)
    monkeypatch.setattr(module, "_FIRST_SECONDS", 0.01)
    triton, reports = Triton("espeak"), Reports()
    client: Any = triton
    catalog = Catalog(client, reports)
    refreshing = asyncio.create_task(catalog.keep_fresh())
    try:
        async with asyncio.timeout(60):
            while not catalog.knows("espeak"):  # noqa: ASYNC110 - of the catalog
                await asyncio.sleep(0.01)
            triton.loaded.append("kokoro")
            reports.put(ModelReport(model="kokoro", state="speaks", spoke_seconds_ago=0))
            while not catalog.knows("kokoro"):  # noqa: ASYNC110 - of the catalog
                await asyncio.sleep(0.01)
    finally:
        refreshing.cancel()
        await asyncio.gather(refreshing, return_exceptions=True)
