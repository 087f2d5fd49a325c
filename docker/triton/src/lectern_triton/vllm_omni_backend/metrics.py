"""The engine's metrics, on Triton's metrics endpoint."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from lectern_contract import Lane

INTERVAL: Final = 0.5  # seconds between two readings of the gauges
BUCKETS: Final = {
    "first_audio_seconds": [0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0],
    "real_time_factor": [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0],
}

log = logging.getLogger(__name__)


class EngineState(Protocol):
    """The state of an engine, which is read at intervals."""

    @property
    def up(self) -> bool: ...

    @property
    def running(self) -> int: ...

    @property
    def aborted(self) -> int: ...


class EngineMetrics:
    """Reports to Triton from one thread, as each call is a round trip to the server; the callers do not wait."""

    def __init__(self, triton: Any, model: str) -> None:  # noqa: ANN401 - Triton's module exists only in its process
        self._triton = triton
        self._labels = {"model": model}
        self._families: dict[str, Any] = {}
        self._metrics: dict[tuple[str, ...], Any] = {}
        self._gauges: dict[tuple[str, ...], float] = {}
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._engine: EngineState | None = None
        self._waiting: Callable[[], Mapping[Lane, int]] = dict
        self._aborted = 0
        # Started now, not with the first request: Triton creates metrics while it holds the interpreter, and a machine
        # that stalls while Triton waits for `execute` costs more than one that stalls a load: embedded/triton.py.
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def watch(self, engine: EngineState) -> None:
        self._engine = engine

    def begin(self, waiting: Callable[[], Mapping[Lane, int]]) -> None:
        self._waiting = waiting

    def first_audio(self, seconds: float) -> None:
        self._queue.put(lambda: self._observe("first_audio_seconds", seconds))

    def spoken(self, audio: float, seconds: float) -> None:
        """Records a spoken request: `audio` seconds of audio, which took the engine `seconds`."""

        def report() -> None:
            self._observe("real_time_factor", seconds / audio)
            self._add("audio_seconds", audio)

        self._queue.put(report)

    def phase(self, name: str, seconds: float) -> None:
        self._queue.put(lambda: self._set("start_seconds", seconds, phase=name))

    def restarted(self) -> None:
        self._queue.put(lambda: self._add("restarts", 1))

    def end(self) -> None:
        """Removes the metrics."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._create()
        except Exception:
            log.exception("Triton does not take this model's metrics: there will be none")
            return
        due = time.monotonic()
        while (report := self._next(due)) is not None:
            try:
                report()
            except Exception:  # one bad value must not end the thread
                log.exception("a metric could not be reported")
            if report == self._read_gauges:
                due = time.monotonic() + INTERVAL
        self._gauges.clear()
        self._metrics.clear()  # before their families, else Triton complains
        self._families.clear()

    def _next(self, due: float) -> Callable[[], None] | None:
        """Returns the next report; once `due` has come, the reading of the gauges."""
        left = due - time.monotonic()
        if left <= 0:
            return self._read_gauges
        try:
            return self._queue.get(timeout=left)
        except queue.Empty:
            return self._read_gauges

    def _read_gauges(self) -> None:
        for lane, count in self._waiting().items():
            self._set("queue", count, lane=lane)
        if (engine := self._engine) is not None:
            self._set("up", engine.up)
            self._set("running", engine.running)
            aborted = engine.aborted
            if aborted != self._aborted:
                self._add("aborted", aborted - self._aborted)
            self._aborted = aborted

    def _create(self) -> None:
        kinds = self._triton.MetricFamily
        for name, kind, description in (
            ("first_audio_seconds", kinds.HISTOGRAM, "From the arrival of a request to its first samples."),
            ("real_time_factor", kinds.HISTOGRAM, "Seconds that the engine takes for a second of audio."),
            ("audio_seconds", kinds.COUNTER, "Audio of all requests that were spoken to their end."),
            ("queue", kinds.GAUGE, "Requests that wait in a lane."),
            ("running", kinds.GAUGE, "Requests that the engine has."),
            ("aborted", kinds.COUNTER, "Requests that were aborted in the engine."),
            ("restarts", kinds.COUNTER, "Starts of the engine after the first."),
            ("up", kinds.GAUGE, "1 while the engine is ready."),
            ("start_seconds", kinds.GAUGE, "How long each phase of the engine's last start took."),
        ):
            full_name = f"lectern_engine_{name}{'_total' if kind == kinds.COUNTER else ''}"
            self._families[name] = self._triton.MetricFamily(name=full_name, description=description, kind=kind)
        for counter in ("audio_seconds", "aborted", "restarts"):
            self._add(counter, 0)

    def _metric(self, name: str, **labels: str) -> Any:  # noqa: ANN401 - see above
        key = (name, *labels.values())
        if key not in self._metrics:
            more = {"buckets": BUCKETS[name]} if name in BUCKETS else {}
            self._metrics[key] = self._families[name].Metric(labels={**self._labels, **labels}, **more)
        return self._metrics[key]

    def _observe(self, name: str, value: float) -> None:
        self._metric(name).observe(value)

    def _set(self, name: str, value: float, **labels: str) -> None:
        """Sets a gauge, if its value has changed."""
        key = (name, *labels.values())
        if self._gauges.get(key) != value:
            self._metric(name, **labels).set(value)
            self._gauges[key] = value

    def _add(self, name: str, value: float) -> None:
        self._metric(name).increment(value)
