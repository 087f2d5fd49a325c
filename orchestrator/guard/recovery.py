"""Loads models, and recovers one by killing its process, unloading and loading it, with as few others as it can."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from lectern.triton import AsyncTriton, DeadlineExceeded, TritonError, Unreachable
from orchestrator.guard.limits import Limits
from orchestrator.guard.model_processes import Stub, Stubs

UNLOAD_TIMEOUT = 5.0

log = structlog.stdlib.get_logger("lectern.guard")


class NotLoaded(Exception):  # noqa: N818 - it names a state of affairs
    """A model could not be loaded; the message says why."""

    def __init__(self, reason: str, *, late: bool = False) -> None:
        super().__init__(reason)
        self.late = late


class Recovery:
    """Recovers the models of one Triton, several at the same time; no model is loaded twice at a time."""

    def __init__(self, triton: AsyncTriton, limits_of: Callable[[str], Limits], processes: Stubs | None = None) -> None:
        """`processes`: the model processes, which may be killed; None: they cannot be seen from here."""
        self._triton = triton
        self._limits_of = limits_of
        self._processes = processes
        self._loading: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def processes_of(self, models: Iterable[str]) -> list[Stub]:
        """Returns the living processes of these models, none if they cannot be seen."""
        if self._processes is None:
            return []
        wanted, found = set(models), await asyncio.to_thread(self._processes.find)
        return [stub for stub in found if stub.model in wanted]

    async def end_orphans(self) -> None:
        """Kills the model processes that an ended Triton has left behind."""
        if self._processes is not None and (left := await asyncio.to_thread(self._processes.end_orphans)):
            log.warning("killed what an ended Triton left behind", models=[stub.model for stub in left])

    async def reload(self, model: str, needs: Sequence[str], broken: Sequence[str], lost: Sequence[Stub]) -> None:
        """Loads a model after those that it needs. Raises NotLoaded, or Unreachable if Triton is.

        The `broken` ones are ended before, in this order; of the others, those are loaded that are not. `lost`:
        processes that are known to be dead.
        """
        ended = [stub for stub in lost if stub.model in broken]
        for each in broken:
            ended += await self._end(each)
        for each in [*needs, model]:
            await self._load(each, again=each in broken)
        if self._processes is not None:
            cleaned = await asyncio.to_thread(self._processes.clean, ended)
            log.debug("shared memory cleaned", model=model, regions=len(cleaned))

    async def _end(self, model: str) -> list[Stub]:
        """Kills a model's process and unloads the model. Returns the killed."""
        killed = await self._kill(model)
        try:
            await self._triton.unload(model, timeout=UNLOAD_TIMEOUT)
        except Unreachable:
            raise
        except TritonError as error:  # a load works even if Triton cannot unload the old instance
            log.warning("not unloaded", model=model, reason=str(error))
        return killed

    async def _load(self, model: str, *, again: bool) -> None:
        async with self._loading[model]:
            if not again and model in await self._ready():
                return
            limit = self._limits_of(model).load
            began = time.monotonic()
            try:
                await self._triton.load(model, timeout=limit)
            except Unreachable:
                raise
            except DeadlineExceeded:
                # Triton waits for the process without end, and would refuse the next load meanwhile.
                await self._kill(model)
                raise NotLoaded(f"the model {model} was not loaded within {limit:g} s", late=True) from None
            except TritonError as error:
                raise NotLoaded(f"the model {model} was not loaded: {' '.join(str(error).split())}") from None
            log.info("loaded", model=model, seconds=round(time.monotonic() - began, 2))

    async def _ready(self) -> set[str]:
        try:
            return {info.name for info in await self._triton.models() if info.ready}
        except Unreachable:
            raise
        except TritonError as error:
            raise NotLoaded(f"Triton does not list its models: {error}") from None

    async def _kill(self, model: str) -> list[Stub]:
        """Kills the model's processes, as Triton would wait for a hung one without end."""
        found = await self.processes_of([model])
        for stub in found:
            stub.kill()
        return found


def broken_parts(model: str, needs: Mapping[str, Sequence[str]], dead: Iterable[str], *, alone: bool) -> list[str]:
    """Returns what of a model must be ended before it is loaded: the model, and of those that it needs the dead ones.

    If none is known to be dead, any may hang: then all that no other model needs, and without `alone` all.
    """
    own, gone = needs.get(model, ()), set(dead)
    if gone:
        return [model, *(each for each in own if each in gone)]
    shared = {each for other, its in needs.items() if other != model for each in its}
    return [model, *(each for each in own if not (alone and each in shared))]
