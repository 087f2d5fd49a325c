"""Probes every voice model periodically, and recovers one that does not speak.

Triton itself does neither: it reports a model as ready even if its process was killed or hangs.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import structlog

from lectern.triton import AsyncTriton, TritonError, Unreachable
from orchestrator.guard.limits import Limits, limits_in, needs_in, overridden
from orchestrator.guard.model_processes import Stub, Stubs
from orchestrator.guard.prober import Finding, probe
from orchestrator.guard.recovery import NotLoaded, Recovery, broken_parts
from orchestrator.guard.reports import ModelReport, Reports, State
from orchestrator.lib.backoff import pause_after

INTERVAL = 2.0  # the least seconds between two probes of a model
# A probe costs a synthesis. A slow model is probed less often, so that its probes take a tenth of the machine at most;
# the longest interval is short enough to find a hung model within 10 s.
PAUSE_PER_SECOND = 10.0
LONGEST_INTERVAL = 4.0
SOON = 0.25  # seconds between two probes of a model that somebody waits for, or whose Triton does not answer
CONFIRMATION = 2.0  # seconds for a probe of a suspect model: every answer counts, also that the model is busy
STRIKES = 2  # probes of the last ones that failed before a recovery, unless the process is known to be dead
REMEMBERED = 4
POLL = 0.25  # seconds between two checks of the model's process
ANSWER_TIMEOUT = 3.0  # seconds for Triton itself
PAUSES = (0.5, 30.0)  # seconds after a failed recovery: after the first, and at most
FIRST_GUESS = 10.0  # seconds of a load, for a model that the guard has not loaded before

log = structlog.stdlib.get_logger("lectern.guard")


@dataclass(slots=True)
class _Watched:
    """What is known of one model besides its report."""

    required: bool
    needs: Sequence[str] = ()
    limits: Limits = field(default_factory=Limits)
    described: bool = False
    """Whether its config.pbtxt was read since it was last loaded."""
    recent: deque[Finding] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """What the last probes found."""
    answered: int | None = None
    """Requests that the model had answered when a probe last failed; None: it answered the last probe."""
    stubs: Sequence[Stub] = ()
    """Its processes and those of the models that it needs, after the last probe."""
    load_seconds: float = FIRST_GUESS
    """What the last load took."""
    failures: int = 0

    @property
    def suspect(self) -> bool:
        """Whether one of the last probes failed: then probes are short, and follow each other at once."""
        return any(finding.state == "silent" for finding in self.recent)


class ModelGuard:
    """Watches the models of one Triton. `counts` has the number of events, by (event, model)."""

    def __init__(
        self,
        triton: AsyncTriton,
        reports: Reports,
        *,
        required: Mapping[str, Sequence[str] | None] | None = None,
        limits: str = "",
        processes: Stubs | None = None,
        recovers: bool = True,
    ) -> None:
        """`required`: the models that must be loaded, each with those that it needs; None: its config.pbtxt says that.

        `limits`: as `LECTERN_MODEL_LIMITS`. `processes`: the model processes, if they can be seen from here.
        `recovers`: whether a model that does not speak is loaded again, or only reported.
        """
        self.counts: Counter[tuple[str, str]] = Counter()
        self._triton = triton
        self._reports = reports
        self._overrides = limits
        self._recovers = recovers
        self._recovery = Recovery(triton, self._limits_of, processes)
        self._watched = {
            model: _Watched(required=True, needs=needs or (), limits=overridden(Limits(), model, limits))
            for model, needs in (required or {}).items()
        }
        self._given_needs = {model for model, needs in (required or {}).items() if needs is not None}

    async def run(self) -> None:
        """Watches until cancelled: what is required, and every other voice model while it is loaded."""
        async with asyncio.TaskGroup() as tasks:
            for model in self._watched:
                self._reports.put(ModelReport(model=model, state="unknown", reason="not probed yet"))
                tasks.create_task(self._watch(model), name=f"watch {model}")
            while True:
                for model in await self._speaking_models():
                    if model not in self._watched:
                        limits = overridden(Limits(), model, self._overrides)
                        self._watched[model] = _Watched(required=False, limits=limits)
                        tasks.create_task(self._watch(model), name=f"watch {model}")
                await asyncio.sleep(INTERVAL if self._watched else SOON)

    async def _watch(self, model: str) -> None:
        """Watches one model. Returns when it is not loaded and does not have to be."""
        watched = self._watched[model]
        while True:
            began = self._reports.now()
            finding = await self._examine(model, watched)
            if finding.state == "missing" and not (watched.required or watched.failures):
                del self._watched[model]
                self._reports.forget(model)
                return
            self._note(model, finding, watched)
            if self._recovers and finding.state in ("silent", "dead", "missing"):
                await self._recover(model, watched, finding)
            elif finding.state == "unknown":
                if self._recovers:
                    await self._recovery.end_orphans()
                await asyncio.sleep(SOON)
            else:
                taken = self._reports.now() - began
                pause = min(max(INTERVAL, taken * PAUSE_PER_SECOND), LONGEST_INTERVAL)
                await self._pause(watched.stubs, SOON if watched.suspect else pause)

    async def _examine(self, model: str, watched: _Watched) -> Finding:
        """Returns what is found of a model: by its processes, else by a probe."""
        dead = [stub for stub in watched.stubs if not stub.alive()]
        if dead and (finding := await self._missed(model, dead[0])) is not None:
            return finding
        await self._describe(model, watched)
        finding = await self._probe(model, watched)
        if finding.state in ("speaks", "busy"):
            watched.stubs = await self._recovery.processes_of([model, *watched.needs])
        return finding

    async def _probe(self, model: str, watched: _Watched) -> Finding:
        """Probes until a silence is confirmed or refuted: one may come from a machine that stood still.

        One of several processes may hang, so that only some probes fail: a few of them are remembered.
        """
        while True:
            limits = watched.limits
            if watched.suspect:
                limits = msgspec.structs.replace(limits, probe=min(CONFIRMATION, limits.probe))
            finding = await probe(self._triton, model, limits)
            if finding.state not in ("speaks", "busy", "silent"):
                return finding
            watched.recent.append(finding)
            if finding.state != "silent":
                watched.answered = None
                return finding
            log.warning("probe failed", model=model, reason=finding.reason)
            before = watched.answered
            try:
                watched.answered = await self._triton.answered(model, timeout=ANSWER_TIMEOUT)
            except TritonError as error:
                watched.recent.pop()
                return Finding("unknown", f"Triton does not answer: {error}")
            silent = [one for one in watched.recent if one.state == "silent"]
            if len(silent) < STRIKES:
                continue
            if all(one.mute for one in silent) and before is not None and watched.answered > before:
                # A process that hangs answers nobody.
                return Finding("busy", "it does not answer probes, but others")
            watched.recent.clear()
            return finding

    async def _missed(self, model: str, dead: Stub) -> Finding | None:
        """Returns what the death of a process means; None if Triton does not answer, or the process is not missed."""
        try:
            loaded = {info.name for info in await self._triton.models(timeout=ANSWER_TIMEOUT) if info.ready}
        except TritonError:
            return None
        if model not in loaded:
            return Finding("missing", f"{model} was unloaded")
        if dead.model not in loaded:
            return Finding("silent", f"{dead.model}, which {model} needs, was unloaded")
        return Finding("dead", f"the process {dead.pid} of {dead.model} died")

    def _note(self, model: str, finding: Finding, watched: _Watched) -> None:
        self.counts[finding.state, model] += 1
        last = self._reports.get(model)
        if finding.state == "speaks":
            watched.failures = 0
        elif last is None or (last.state, last.reason) != (finding.state, finding.reason):
            log.warning("does not speak", model=model, state=finding.state, reason=finding.reason)
        self._report(model, finding.state, finding.reason)

    def _report(
        self, model: str, state: State, reason: str = "", *, back_in: float | None = None, late: bool = False
    ) -> None:
        last = self._reports.get(model)
        spoke = 0.0 if state == "speaks" else last.spoke_seconds_ago if last else None
        failures = self._watched[model].failures
        self._reports.put(
            ModelReport(
                model=model,
                state=state,
                reason=reason,
                spoke_seconds_ago=spoke,
                back_in=back_in,
                failures=failures,
                late=late,
            )
        )

    async def _recover(self, model: str, watched: _Watched, finding: Finding) -> None:
        """Loads the model again. If that fails, waits before it returns, longer each time."""
        began = self._reports.now()
        self._report(model, "loading", finding.reason, back_in=watched.load_seconds)
        lost = [stub for stub in watched.stubs if not stub.alive()]
        broken = self._broken(model, watched, finding, lost)
        if broken:
            log.warning("recovering", model=model, reason=finding.reason, ended=broken)
        try:
            await self._recovery.reload(model, watched.needs, broken, lost)
        except (NotLoaded, Unreachable) as error:
            watched.failures += 1
            pause = pause_after(watched.failures, *PAUSES)
            self.counts["recovery_failed", model] += 1
            log.error("not recovered", model=model, reason=str(error))  # noqa: TRY400 - the reason is enough
            late = isinstance(error, NotLoaded) and error.late
            # Triton that went away while it loaded the model says nothing about the model.
            state: State = "unknown" if isinstance(error, Unreachable) else "failed"
            self._report(model, state, str(error), back_in=pause + watched.load_seconds, late=late)
            await asyncio.sleep(pause)
        else:
            watched.load_seconds = self._reports.now() - began
            self.counts["recovered", model] += 1
            if broken:
                log.warning("recovered", model=model, seconds=round(watched.load_seconds, 2))
        watched.stubs, watched.described = (), False

    def _broken(self, model: str, watched: _Watched, finding: Finding, lost: Collection[Stub]) -> list[str]:
        if finding.state == "missing" and not watched.failures:
            return []  # nothing of it runs
        needs = {each: known.needs for each, known in self._watched.items()}
        return broken_parts(model, needs, [stub.model for stub in lost], alone=not watched.failures)

    async def _describe(self, model: str, watched: _Watched) -> None:
        """Reads the model's limits and needs from its config.pbtxt, which Triton tells of loaded models only."""
        if watched.described:
            return
        try:
            parameters = await self._triton.parameters(model, timeout=ANSWER_TIMEOUT)
        except TritonError as error:  # such as of a model that is not loaded, which the probe tells
            log.debug("limits cannot be read", model=model, reason=str(error))
            return
        watched.limits = overridden(limits_in(parameters), model, self._overrides)
        if model not in self._given_needs:
            watched.needs = needs_in(parameters)
        watched.described = True

    def _limits_of(self, model: str) -> Limits:
        known = self._watched.get(model)
        return known.limits if known is not None else overridden(Limits(), model, self._overrides)

    async def _speaking_models(self) -> list[str]:
        try:
            return [info.name for info in await self._triton.models(timeout=ANSWER_TIMEOUT) if info.speaks]
        except TritonError as error:
            log.debug("Triton does not answer", reason=str(error))
            return []

    async def _pause(self, stubs: Sequence[Stub], seconds: float) -> None:
        """Waits until the next probe is due, or one of the processes is gone, or somebody waits for the model."""
        until = self._reports.now() + seconds
        while self._reports.now() < until and all(stub.alive() for stub in stubs):
            await asyncio.sleep(POLL)
            if self._reports.urgent:
                return
