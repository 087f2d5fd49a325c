"""Probes every voice model periodically, and recovers a model that does not speak.

Triton itself does neither: it reports a model as ready even if its process was killed or hangs.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum, auto

import structlog

from lectern.triton import AsyncTriton, Busy, InvalidRequest, NotFound, TritonError, Unreachable
from orchestrator.embedded.triton_model_processes import Stub, Stubs

INTERVAL = 2.0  # the least seconds between two probes of a model
# A probe costs a synthesis. A slow model is probed less often, so that its probes take a tenth of the machine at most;
# the longest interval is short enough to find a hung model within 10 s.
PAUSE_PER_SECOND = 10.0
LONGEST_INTERVAL = 4.0
PROBE_TIMEOUT = 3.0  # seconds; with two failed probes in a row, a hung model is found after 8 s at most
STRIKES = 2  # failed probes in a row before a recovery, unless the process is known to be dead
POLL = 0.25  # seconds between two checks of the model's process
UNLOAD_TIMEOUT = 5.0
LOAD_TIMEOUT = 120.0
PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # seconds after each failed recovery in a row

log = structlog.stdlib.get_logger("lectern.watchdog")


class Health(Enum):
    """The result of a probe."""

    SPEAKS = auto()
    BUSY = auto()  # it refused, so it lives; it restarts its engines itself
    FAILED = auto()
    DEAD = auto()  # its process is gone
    MISSING = auto()  # it is not loaded
    UNKNOWN = auto()  # Triton itself does not answer; its supervisor handles that


class Watchdog:
    """Watches the models of one Triton. `counts` has the number of events, by (event, model)."""

    def __init__(
        self,
        address: str,
        needs: Mapping[str, Sequence[str]] | None = None,
        stubs: Stubs | None = None,
        load_timeouts: Mapping[str, float] | None = None,
        secret: str | None = None,
    ) -> None:
        """`needs`: the models that must speak, each with the models it needs; None: watch all loaded voice models.

        `stubs`: the model processes, which may be killed; None: they run on another machine. `load_timeouts`: seconds,
        of models that take longer than others. `secret`: of an external Triton.
        """
        self.counts: Counter[tuple[str, str]] = Counter()
        self._address = address
        self._secret = secret
        self._wanted = needs
        self._stubs = stubs
        self._load_timeouts = load_timeouts or {}
        # One recovery at a time: its cleanup must not take the shared memory of a model that another one loads.
        self._recovering = asyncio.Lock()

    async def run(self) -> None:
        """Watch until cancelled."""
        async with AsyncTriton(self._address, secret=self._secret) as triton, asyncio.TaskGroup() as tasks:
            if self._wanted is not None:
                for model in self._wanted:
                    tasks.create_task(self._watch(triton, model), name=f"watch {model}")
                return
            watched: dict[str, asyncio.Task[None]] = {}
            while True:
                for model in await _speaking_models(triton):
                    if model not in watched or watched[model].done():
                        watched[model] = tasks.create_task(self._watch(triton, model), name=f"watch {model}")
                await asyncio.sleep(INTERVAL)

    async def _watch(self, triton: AsyncTriton, model: str) -> None:
        """Watch one model. Returns when the model is not loaded and does not have to be."""
        strikes = failures = 0
        stubs: list[Stub] = []
        while True:
            began = time.monotonic()
            health, reason = await self._examine(triton, model, stubs)
            if health is Health.MISSING and self._wanted is None:
                return
            if health in (Health.FAILED, Health.MISSING, Health.DEAD):
                strikes += 1
                if health is Health.FAILED and strikes < STRIKES:
                    continue
                if await self._recover(triton, model, reason):
                    strikes = failures = 0
                else:
                    await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
                    failures += 1
                stubs = []
            else:
                strikes = 0
                stubs = self._stubs_of(model)
                taken = time.monotonic() - began
                await self._pause(stubs, min(max(INTERVAL, taken * PAUSE_PER_SECOND), LONGEST_INTERVAL))

    async def _examine(self, triton: AsyncTriton, model: str, stubs: Sequence[Stub]) -> tuple[Health, str]:
        """Returns the health of a model. `stubs`: its processes after the last probe."""
        dead = [stub for stub in stubs if not stub.alive()]
        if dead and await triton.server_ready(timeout=PROBE_TIMEOUT):
            self.counts["dead", model] += 1
            return Health.DEAD, f"the process {dead[0].pid} of {dead[0].model} died"
        return await self._probe(triton, model)

    async def _probe(self, triton: AsyncTriton, model: str) -> tuple[Health, str]:
        try:
            await triton.probe(model, timeout=PROBE_TIMEOUT)
        except (Busy, InvalidRequest) as error:
            return self._note(Health.BUSY, model, error)
        except Unreachable as error:
            return self._note(Health.UNKNOWN, model, error)
        except NotFound as error:
            return self._note(Health.MISSING, model, error)
        except TritonError as error:
            return self._note(Health.FAILED, model, error)
        self.counts["speaks", model] += 1
        return Health.SPEAKS, ""

    def _note(self, health: Health, model: str, error: TritonError) -> tuple[Health, str]:
        self.counts[health.name.lower(), model] += 1
        log.warning("probe failed", model=model, health=health.name.lower(), reason=str(error))
        return health, str(error)

    async def _recover(self, triton: AsyncTriton, model: str, reason: str) -> bool:
        """Unloads and loads the model and the models it needs. Returns whether Triton did both."""
        async with self._recovering:
            began = time.monotonic()
            log.warning("recovering", model=model, reason=reason)
            try:
                models = [*self._needs_of(model), model]
                for each in reversed(models):
                    await self._unload(triton, each)
                for each in models:
                    await triton.load(each, timeout=max(LOAD_TIMEOUT, self._load_timeouts.get(each, 0)))
                cleaned = await asyncio.to_thread(self._stubs.clean) if self._stubs else []
            except TritonError as error:
                self.counts["recovery_failed", model] += 1
                log.error("not recovered", model=model, reason=str(error))  # noqa: TRY400 - the reason is enough
                return False
            self.counts["recovered", model] += 1
            log.warning(
                "recovered", model=model, seconds=round(time.monotonic() - began, 2), shared_memory=len(cleaned)
            )
            return True

    async def _unload(self, triton: AsyncTriton, model: str) -> None:
        await asyncio.to_thread(self._kill, model)
        try:
            await triton.unload(model, timeout=UNLOAD_TIMEOUT)
        except Unreachable:
            raise
        except TritonError as error:  # a load works even if Triton cannot unload the old instance
            log.warning("not unloaded", model=model, reason=str(error))

    def _needs_of(self, model: str) -> Sequence[str]:
        return self._wanted.get(model, ()) if self._wanted is not None else ()

    def _kill(self, model: str) -> None:
        """Kills the model's process, as Triton would wait for a hung one without end."""
        for stub in self._stubs.find(model) if self._stubs else []:
            stub.kill()

    def _stubs_of(self, model: str) -> list[Stub]:
        """Returns the processes of the model and of the models it needs."""
        if self._stubs is None:
            return []
        return [stub for each in (model, *self._needs_of(model)) for stub in self._stubs.find(each)]

    async def _pause(self, stubs: Sequence[Stub], seconds: float) -> None:
        """Waits until the next probe is due, or one of the processes is gone."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and all(stub.alive() for stub in stubs):  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(POLL)


async def _speaking_models(triton: AsyncTriton) -> list[str]:
    try:
        return [model.name for model in await triton.models() if model.speaks]
    except TritonError as error:
        log.warning("Triton does not answer", reason=str(error))
        return []
