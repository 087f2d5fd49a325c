"""The guard tells what the last probes found; the process that follows it knows the same."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from orchestrator.guard.endpoint import GuardEndpoint
from orchestrator.guard.following import ask_guard
from orchestrator.guard.model_guard import ModelGuard
from orchestrator.guard.reports import ModelReport, Reports

pytestmark = pytest.mark.anyio
URL = "http://guard"


class Guarded:
    def __init__(self) -> None:
        self.reports = Reports()
        nobody: Any = None  # which it never asks: what it serves are reports
        self.guard = ModelGuard(nobody, self.reports)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(GuardEndpoint(self.guard, self.reports)), base_url=URL
        )


@pytest.fixture
async def guarded() -> AsyncIterator[Guarded]:
    guarded = Guarded()
    async with guarded.http:
        yield guarded


async def test_it_lives_while_no_model_does(guarded: Guarded) -> None:
    assert (await guarded.http.get("/healthz")).status_code == 200
    answer = await guarded.http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unready", "models": []}


async def test_it_is_ready_when_all_models_are(guarded: Guarded) -> None:
    guarded.reports.put(ModelReport(model="espeak", state="speaks", spoke_seconds_ago=0))
    assert (await guarded.http.get("/readyz")).status_code == 200
    guarded.reports.put(ModelReport(model="higgs", state="loading", reason="it was killed", back_in=60))
    answer = await guarded.http.get("/readyz")
    assert answer.status_code == 503
    espeak, higgs = answer.json()["models"]
    assert espeak["state"] == "speaks"
    assert (higgs["state"], higgs["reason"]) == ("loading", "it was killed")
    assert (await guarded.http.head("/readyz")).content == b""


async def test_prometheus_reads_probes_recoveries_and_ages(guarded: Guarded) -> None:
    guarded.guard.counts.update({("speaks", "espeak"): 3, ("recovered", "espeak"): 2, ("recovery_failed", "higgs"): 1})
    guarded.reports.put(ModelReport(model="higgs", state="failed"))
    page = (await guarded.http.get("/metrics")).text
    assert 'lectern_model_probes_total{model="espeak",state="speaks"} 3.0' in page
    assert 'lectern_model_recoveries_total{model="espeak",result="recovered"} 2.0' in page
    assert 'lectern_model_recoveries_total{model="higgs",result="failed"} 1.0' in page
    assert 'lectern_model_probe_age_seconds{model="higgs"} +Inf' in page


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/readyz"), ("DELETE", "/healthz")])
async def test_there_is_nothing_else(guarded: Guarded, method: str, path: str) -> None:
    assert (await guarded.http.request(method, path)).status_code == 404


async def test_who_follows_it_knows_the_same(guarded: Guarded) -> None:
    guarded.reports.put(ModelReport(model="espeak", state="speaks", spoke_seconds_ago=3))
    guarded.reports.put(ModelReport(model="higgs", state="loading", back_in=60))
    followed = Reports()
    since = followed.now()
    await ask_guard(guarded.http, URL, followed)
    assert followed.all().keys() == {"espeak", "higgs"}
    assert followed.all()["espeak"].ready
    assert not followed.spoke_since("espeak", since), "it spoke before"
    assert (followed.back_in("higgs") or 0) > 50
    guarded.reports.forget("higgs")
    guarded.reports.put(ModelReport(model="espeak", state="speaks", spoke_seconds_ago=0))
    await ask_guard(guarded.http, URL, followed)
    assert followed.all().keys() == {"espeak"}
    assert followed.spoke_since("espeak", since)


async def test_a_guard_that_does_not_answer_is_told_and_nothing_is_forgotten() -> None:
    followed = Reports()
    followed.put(ModelReport(model="espeak", state="speaks", spoke_seconds_ago=0))

    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as client:
        await ask_guard(client, URL, followed)
    assert "does not answer" in followed.trouble
    assert followed.all().keys() == {"espeak"}
