"""Proves again and again that every voice model speaks, and brings back one that does not.

Triton itself does neither: it reports a model as ready whose process was killed or hangs.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum, auto

import structlog

from lectern.triton import AsyncTriton, Busy, InvalidRequest, NotFound, TritonError, Unreachable
from orchestrator.embedded.triton_stubs import Stub, Stubs

INTERVAL = 2.0  # seconds between two probes of a model, at least
# A proof costs what it speaks. A model that takes long for it is asked less often, so that it takes a tenth of the
# machine at most; that far, a hung one is still found within 10 s.
PAUSE_PER_SECOND = 10.0
LONGEST_INTERVAL = 4.0
PROOF_TIMEOUT = 3.0  # seconds; with two probes in a row that fail, a hung model is found after 8 s at most
STRIKES = 2  # probes that must fail in a row, unless its process is known to have died
GLANCE = 0.25  # seconds between two looks at whether the model's process lives
UNLOAD_TIMEOUT = 5.0
LOAD_TIMEOUT = 120.0
PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # seconds after each recovery in a row that did not help

log = structlog.stdlib.get_logger("lectern.watchdog")


class Health(Enum):
    """What a proof says of a model."""

    SPEAKS = auto()
    BUSY = auto()  # it refused, and so it lives; an engine that it restarts is its own affair
    FAILED = auto()
    DEAD = auto()  # its process has gone
    MISSING = auto()  # it is not loaded
    UNKNOWN = auto()  # Triton itself does not answer: whoever runs it sees to that


class Watchdog:
    """Watches the models of one Triton. `counts` holds how often what happened, by (event, model)."""

    def __init__(
        self,
        address: str,
        needs: Mapping[str, Sequence[str]] | None = None,
        stubs: Stubs | None = None,
        load_timeouts: Mapping[str, float] | None = None,
        secret: str | None = None,
    ) -> None:
        """`needs` has the models that must speak, each with those it cannot speak without; None: whichever speak.

        `stubs`: the model processes may be killed. `load_timeouts`: of models that take longer than others.
        `secret`: what a Triton elsewhere asks for.
        """
        self.counts: Counter[tuple[str, str]] = Counter()
        self._address = address
        self._secret = secret
        self._wanted = needs
        self._stubs = stubs
        self._load_timeouts = load_timeouts or {}
        # One at a time: cleaning must not take the shared memory of a model that is being loaded for a dead one's.
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
                for model in await _speaking(triton):
                    if model not in watched or watched[model].done():
                        watched[model] = tasks.create_task(self._watch(triton, model), name=f"watch {model}")
                await asyncio.sleep(INTERVAL)

    async def _watch(self, triton: AsyncTriton, model: str) -> None:
        """Watch one model; return when it is not loaded and needs not be."""
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
        """Say how a model does whose processes, when last seen, were `stubs`."""
        dead = [stub for stub in stubs if not stub.alive()]
        if dead and await triton.server_ready(timeout=PROOF_TIMEOUT):
            self.counts["dead", model] += 1
            return Health.DEAD, f"the process {dead[0].pid} of {dead[0].model} died"
        return await self._prove(triton, model)

    async def _prove(self, triton: AsyncTriton, model: str) -> tuple[Health, str]:
        try:
            await triton.probe(model, timeout=PROOF_TIMEOUT)
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
        log.warning("no proof", model=model, health=health.name.lower(), reason=str(error))
        return health, str(error)

    async def _recover(self, triton: AsyncTriton, model: str, reason: str) -> bool:
        """Unload and load the model and what it needs; say whether that went well, which the next proof shows."""
        async with self._recovering:
            began = time.monotonic()
            log.warning("recovering", model=model, reason=reason)
            try:
                parts = [*self._needs_of(model), model]
                for part in reversed(parts):
                    await self._unload(triton, part)
                for part in parts:
                    await triton.load(part, timeout=max(LOAD_TIMEOUT, self._load_timeouts.get(part, 0)))
                cleaned = await asyncio.to_thread(self._stubs.clean) if self._stubs else []
            except TritonError as error:
                self.counts["recovery_failed", model] += 1
                log.error("not recovered", model=model, reason=str(error))  # noqa: TRY400 - the reason says it all
                return False
            self.counts["recovered", model] += 1
            log.warning(
                "recovered", model=model, seconds=round(time.monotonic() - began, 2), shared_memory=len(cleaned)
            )
            return True

    async def _unload(self, triton: AsyncTriton, model: str) -> None:
        await asyncio.to_thread(self._end, model)
        try:
            await triton.unload(model, timeout=UNLOAD_TIMEOUT)
        except Unreachable:
            raise
        except TritonError as error:  # loading works even beside an old one that Triton cannot get rid of
            log.warning("not unloaded", model=model, reason=str(error))

    def _needs_of(self, model: str) -> Sequence[str]:
        return self._wanted.get(model, ()) if self._wanted is not None else ()

    def _end(self, model: str) -> None:
        """Kill the model's process: Triton waits for a hung one without end."""
        for stub in self._stubs.find(model) if self._stubs else []:
            stub.kill()

    def _stubs_of(self, model: str) -> list[Stub]:
        """Return the processes of the model and of what it needs."""
        if self._stubs is None:
            return []
        return [stub for part in (model, *self._needs_of(model)) for stub in self._stubs.find(part)]

    async def _pause(self, stubs: Sequence[Stub], seconds: float) -> None:
        """Wait until the next proof is due, or one of the processes has gone."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and all(stub.alive() for stub in stubs):  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(GLANCE)


async def _speaking(triton: AsyncTriton) -> list[str]:
    try:
        return [model.name for model in await triton.models() if model.speaks]
    except TritonError as error:
        log.warning("Triton does not answer", reason=str(error))
        return []
