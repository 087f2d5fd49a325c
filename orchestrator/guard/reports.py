"""The last results of all probes, with what waits for news of a model."""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

# speaks: it spoke when last probed. busy: it answered that it cannot speak now, so it lives. silent: it does not
# answer, or fails. dead: its process ended. missing: it is not loaded. loading: it is loaded, at first or again.
# failed: it could not be loaded. unknown: Triton does not answer.
State = Literal["speaks", "busy", "silent", "dead", "missing", "loading", "failed", "unknown"]

STALE: Final = 15.0  # seconds after which it no longer counts that a model spoke
BUSY_STALE: Final = 60.0  # the same of a model that says that it is busy


class ModelReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the last probe of a model found, as the guard tells it over HTTP."""

    model: str
    state: State
    reason: str = ""
    spoke_seconds_ago: float | None = None
    """None: it has not spoken yet."""
    back_in: float | None = None
    """Seconds until it is expected to speak again; None: nobody is loading it, or it speaks."""
    failures: int = 0
    """Loads in a row that failed."""
    late: bool = False
    """Whether the last load failed because it took too long."""

    @property
    def ready(self) -> bool:
        stale = BUSY_STALE if self.state == "busy" else STALE
        return self.spoke_seconds_ago is not None and self.spoke_seconds_ago <= stale


class ModelReports(msgspec.Struct, frozen=True):
    """The body of the guard's `/readyz`."""

    status: Literal["ready", "unready"]
    models: list[ModelReport]


class _Entry(msgspec.Struct):
    report: ModelReport
    at: float
    spoke_at: float = -math.inf


class Reports:
    """The last report of each model, whoever probes: this process or a guard."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._heard_at: dict[str, float] = {}
        self._news = asyncio.Event()
        self._urgent = 0
        self.trouble = ""
        """Why no reports come at the moment, such as that the guard does not answer."""

    @property
    def urgent(self) -> bool:
        """Whether somebody waits for news: then probes and questions should follow each other closely."""
        return self._urgent > 0

    def put(self, report: ModelReport) -> None:
        now = self._clock()
        spoke_at = -math.inf if report.spoke_seconds_ago is None else now - report.spoke_seconds_ago
        self._entries[report.model] = _Entry(report, now, spoke_at)
        self._tell()

    def forget(self, model: str) -> None:
        self._entries.pop(model, None)
        self._heard_at.pop(model, None)
        self._tell()

    def heard(self, model: str) -> None:
        """Notes that a model spoke for a listener, which counts as a probe: a busy model has no time for probes."""
        self._heard_at[model] = self._clock()
        if self._urgent:
            self._tell()

    def all(self) -> Mapping[str, ModelReport]:
        """Returns the reports as of now: a model has not spoken for longer than when its report came."""
        return {model: self._now(entry) for model, entry in sorted(self._entries.items())}

    def get(self, model: str) -> ModelReport | None:
        entry = self._entries.get(model)
        return self._now(entry) if entry is not None else None

    def back_in(self, model: str) -> float | None:
        """Returns the seconds until a model that is being loaded is expected to speak; None for any other."""
        report = self.get(model)
        return report.back_in if report is not None else None

    def spoke_since(self, model: str, at: float) -> bool:
        """Returns whether a model has spoken since then, a time of `now`."""
        return self._spoke_at(model) > at

    async def wait_urgently(self, condition: Callable[[], bool], limit: float) -> None:
        """Waits as `wait`, and has the reports come more often meanwhile."""
        self._urgent += 1
        self._tell()
        try:
            await self.wait(condition, limit)
        finally:
            self._urgent -= 1

    async def wait(self, condition: Callable[[], bool], limit: float) -> None:
        """Returns when the condition holds, which is asked at each news, or after so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                while not condition():
                    await self._news.wait()

    def now(self) -> float:
        return self._clock()

    def _spoke_at(self, model: str) -> float:
        entry = self._entries.get(model)
        return max(self._heard_at.get(model, -math.inf), entry.spoke_at if entry else -math.inf)

    def _now(self, entry: _Entry) -> ModelReport:
        now, report = self._clock(), entry.report
        spoke_at = self._spoke_at(report.model)
        return msgspec.structs.replace(
            report,
            spoke_seconds_ago=None if spoke_at == -math.inf else now - spoke_at,
            # What is late is expected to take as long again as it is late.
            back_in=None if report.back_in is None else abs(report.back_in - (now - entry.at)),
        )

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
