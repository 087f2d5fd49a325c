"""The guard's HTTP endpoint: it tells what the last probes found, and never probes for a request."""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from orchestrator.guard.model_guard import ModelGuard
from orchestrator.guard.reports import ModelReports, Reports

Message = MutableMapping[str, Any]
_RECOVERIES = {"recovered": "recovered", "recovery_failed": "failed"}


class GuardEndpoint:
    """An ASGI application: `/healthz`, `/readyz`, `/metrics`."""

    def __init__(self, guard: ModelGuard, reports: Reports) -> None:
        self._reports = reports
        self._registry = CollectorRegistry()
        self._registry.register(GuardMetrics(guard))
        self._registry.register(ProbeAges(reports))
        self._pages = {"/healthz": self._alive, "/readyz": self._readiness, "/metrics": self._metrics}

    async def __call__(
        self,
        scope: Message,
        _receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        page = self._pages.get(scope["path"]) if scope["method"] in ("GET", "HEAD") else None
        status, kind, body = page() if page else (404, b"application/json", b'{"detail":"There is nothing here."}')
        length = str(len(body)).encode()
        headers = [(b"content-type", kind), (b"content-length", length), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _alive(self) -> tuple[int, bytes, bytes]:
        return 200, b"application/json", b'{"status":"alive"}'

    def _readiness(self) -> tuple[int, bytes, bytes]:
        models = list(self._reports.all().values())
        ready = bool(models) and all(model.ready for model in models)
        body = ModelReports("ready" if ready else "unready", models)
        return 200 if ready else 503, b"application/json", msgspec.json.encode(body)

    def _metrics(self) -> tuple[int, bytes, bytes]:
        return 200, CONTENT_TYPE_LATEST.encode(), generate_latest(self._registry)


class GuardMetrics(Collector):
    def __init__(self, guard: ModelGuard) -> None:
        self._guard = guard

    def collect(self) -> Iterator[Metric]:
        probes = CounterMetricFamily("lectern_model_probes", "Probes, by what they found.", labels=["model", "state"])
        recoveries = CounterMetricFamily(
            "lectern_model_recoveries", "Models loaded, at first or again.", labels=["model", "result"]
        )
        for (event, model), count in list(self._guard.counts.items()):
            if event in _RECOVERIES:
                recoveries.add_metric([model, _RECOVERIES[event]], count)
            else:
                probes.add_metric([model, event], count)
        yield probes
        yield recoveries


class ProbeAges(Collector):
    def __init__(self, reports: Reports) -> None:
        self._reports = reports

    def collect(self) -> Iterator[Metric]:
        ages = GaugeMetricFamily(
            "lectern_model_probe_age_seconds", "Seconds since a model last spoke.", labels=["model"]
        )
        for model, report in self._reports.all().items():
            spoke = report.spoke_seconds_ago
            ages.add_metric([model], float("inf") if spoke is None else spoke)
        yield ages
