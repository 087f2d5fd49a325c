"""Postgres, Triton, the web process and the worker as one: started in order, kept running, stopped in reverse."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial

import httpx

from orchestrator.embedded.configuration import StackConfiguration
from orchestrator.embedded.errors import CannotStart
from orchestrator.embedded.postgres import Postgres
from orchestrator.embedded.processes import Orchestrator, start_postgres, start_triton
from orchestrator.embedded.supervisor import Start, Supervisor, beside, supervised
from orchestrator.embedded.triton_stubs import Stubs
from orchestrator.embedded.watchdog import Watchdog

READY_TIMEOUT = 60.0
POLL = 0.1

Say = Callable[[str], None]


@contextlib.asynccontextmanager
async def running(plan: StackConfiguration, say: Say) -> AsyncIterator[str | None]:
    """Run the stack for as long as the block does, which begins when it is ready; give the API key if it is a new one.

    The home's lock must be held. Raises CannotStart, also in place of one that the block raises.
    """
    try:
        # The contexts are entered in the order in which the parts are needed, and so left in the order web process,
        # worker, Triton, Postgres: each part stops while all that it needs still runs.
        async with contextlib.AsyncExitStack() as contexts:
            parts = _Parts(contexts, say)
            new_key = await _start(plan, parts)
            try:
                yield new_key
            finally:
                say("stopping")
    except ExceptionGroup as group:
        raise _only_reason(group) or group from None


async def _start(plan: StackConfiguration, parts: "_Parts") -> str | None:
    postgres = None if plan.database_url else await _own_postgres(plan, parts.say)
    if postgres is not None:
        await parts.keep("Postgres", partial(start_postgres, postgres))
    if not isinstance(plan.triton, str):
        await parts.keep("Triton", partial(start_triton, plan.triton))
    if postgres is not None:
        await parts.ready("Postgres")
    orchestrator = Orchestrator(plan.home, plan.environment(postgres.url if postgres else str(plan.database_url)))
    new_key = await orchestrator.set_up()
    parts.say("the database is up to date")
    await parts.keep("worker", orchestrator.start_worker)
    await parts.keep("web", partial(orchestrator.start_web, plan.url))
    for name in parts.keepers:
        await parts.ready(name)
    await parts.contexts.enter_async_context(beside(_watchdog(plan).run(), "watch the models"))
    await _ready(plan)
    for supervisor in parts.keepers.values():
        supervisor.settle()
    return new_key


def _only_reason(group: ExceptionGroup[Exception]) -> CannotStart | None:
    """Return the first reason in the group, None if there is something else in it too."""
    reasons, others = group.split(CannotStart)
    if reasons is None or others is not None:
        return None
    first: CannotStart | ExceptionGroup[CannotStart] = reasons
    while isinstance(first, ExceptionGroup):
        first = first.exceptions[0]
    return first


@dataclass(slots=True)
class _Parts:
    contexts: contextlib.AsyncExitStack
    say: Say
    keepers: dict[str, Supervisor] = field(default_factory=dict)
    announced: set[str] = field(default_factory=set)

    async def keep(self, name: str, start: Start) -> None:
        self.keepers[name] = await self.contexts.enter_async_context(supervised(name, start, self.say))

    async def ready(self, name: str) -> None:
        await self.keepers[name].ready()
        if name not in self.announced:
            self.announced.add(name)
            self.say(f"{name} runs")


def _watchdog(plan: StackConfiguration) -> Watchdog:
    if isinstance(plan.triton, str):
        return Watchdog(plan.triton, secret=plan.triton_secret.reveal())
    given = plan.triton
    return Watchdog(given.address, given.needs, Stubs(given.shared_memory), given.load_timeouts)


async def _own_postgres(plan: StackConfiguration, say: Say) -> Postgres:
    postgres = await asyncio.to_thread(Postgres.at, plan.home)
    if (pid := await postgres.data.stop_leftover()) is not None:
        say(f"stopped the Postgres server of an earlier run (process {pid})")
    return postgres


async def _ready(plan: StackConfiguration) -> None:
    """Wait until `/readyz` says ready. Raises CannotStart with what is still missing."""
    url = plan.url
    limit = time.monotonic() + READY_TIMEOUT
    missing = "no answer"
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
        while time.monotonic() < limit:
            try:
                answer = await client.get(f"{url}/readyz")
            except httpx.TransportError as error:
                missing = f"{url}/readyz does not answer ({type(error).__name__})"
            else:
                if answer.is_success:
                    return
                missing = _missing(answer)
            await asyncio.sleep(POLL)
    given = f" (TRITON_URL is {plan.triton}; it must be the gRPC address)" if isinstance(plan.triton, str) else ""
    raise CannotStart(f"Lectern was not ready within {READY_TIMEOUT:.0f} s: {missing}{given}")


def _missing(answer: httpx.Response) -> str:
    try:
        checks = answer.json()["checks"]
        return "; ".join(f"{check['name']}: {check['detail']}" for check in checks if not check["ok"])
    except (ValueError, KeyError, TypeError):
        return f"/readyz answers {answer.status_code}"
