"""Postgres, Triton, guard, worker and web process as one: started in order, kept running, stopped in reverse."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial

import httpx

from orchestrator.embedded import CannotStart
from orchestrator.embedded.configuration import StackConfiguration
from orchestrator.embedded.logs import keep_bounded
from orchestrator.embedded.postgres import Postgres
from orchestrator.embedded.stack_services import (
    Orchestrator,
    start_postgres,
    start_triton,
    wait_until_models_speak,
)
from orchestrator.embedded.supervisor import StartService, Supervisor, background_task, supervised
from orchestrator.embedded.triton import STARTS

READY_TIMEOUT = 60.0
POLL = 0.1

Say = Callable[[str], None]


@contextlib.asynccontextmanager
async def running(configuration: StackConfiguration, say: Say) -> AsyncIterator[str | None]:
    """Runs the stack while the block runs, which begins when the stack is ready. Yields a new API key, or None.

    The home's lock must be held. Raises CannotStart, also for the one that the block raises.
    """
    try:
        # The services start in the order in which they need each other, and stop in the reverse: web process, worker,
        # guard, Triton, Postgres. So each service stops while everything that it needs still runs.
        async with contextlib.AsyncExitStack() as contexts:
            await contexts.enter_async_context(background_task(keep_bounded(configuration.home.logs), "bound the logs"))
            services = _Services(contexts, say)
            new_key = await _start(configuration, services)
            try:
                yield new_key
            finally:
                say("stopping")
    except ExceptionGroup as group:
        raise _only_reason(group) or group from None


async def _start(configuration: StackConfiguration, services: "_Services") -> str | None:
    postgres = None if configuration.database_url else await _embedded_postgres(configuration, services.say)
    if postgres is not None:
        await services.start("Postgres", partial(start_postgres, postgres))
    if not isinstance(configuration.triton, str):
        # It may also crash while the guard has it load the models.
        await services.start("Triton", partial(start_triton, configuration.triton), crashes=STARTS - 1)
    if configuration.guard is not None:
        guard = Orchestrator(configuration.home, configuration.guard_environment())
        await services.start("guard", partial(guard.start_guard, configuration.guard_url))
    if postgres is not None:
        await services.wait_ready("Postgres")
    orchestrator = Orchestrator(
        configuration.home, configuration.environment(postgres.url if postgres else str(configuration.database_url))
    )
    new_key = await orchestrator.set_up()
    services.say("the database is up to date")
    await services.start("worker", orchestrator.start_worker)
    await services.start("web", partial(orchestrator.start_web, configuration.url))
    for name in services.supervisors:
        await services.wait_ready(name)
    if configuration.guard is not None:
        await wait_until_models_speak(configuration.guard_url, services.say)
    await _wait_until_ready(configuration)
    for supervisor in services.supervisors.values():
        supervisor.enable_restarts()
    return new_key


def _only_reason(group: ExceptionGroup[Exception]) -> CannotStart | None:
    """Returns the first CannotStart of the group, or None if the group has other errors too."""
    reasons, others = group.split(CannotStart)
    if reasons is None or others is not None:
        return None
    first: CannotStart | ExceptionGroup[CannotStart] = reasons
    while isinstance(first, ExceptionGroup):
        first = first.exceptions[0]
    return first


@dataclass(slots=True)
class _Services:
    contexts: contextlib.AsyncExitStack
    say: Say
    supervisors: dict[str, Supervisor] = field(default_factory=dict)
    announced: set[str] = field(default_factory=set)

    async def start(self, name: str, start: StartService, *, crashes: int = 0) -> None:
        service = supervised(name, start, self.say, crashes=crashes)
        self.supervisors[name] = await self.contexts.enter_async_context(service)

    async def wait_ready(self, name: str) -> None:
        await self.supervisors[name].wait_ready()
        if name not in self.announced:
            self.announced.add(name)
            self.say(f"{name} runs")


async def _embedded_postgres(configuration: StackConfiguration, say: Say) -> Postgres:
    postgres = await asyncio.to_thread(Postgres.at, configuration.home)
    if (pid := await postgres.data.stop_leftover()) is not None:
        say(f"stopped the Postgres server of an earlier run (process {pid})")
    return postgres


async def _wait_until_ready(configuration: StackConfiguration) -> None:
    """Returns once `/readyz` says ready. Raises CannotStart with what is missing."""
    url = configuration.url
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
    address = (
        f" (TRITON_URL is {configuration.triton}; it must be the gRPC address)"
        if isinstance(configuration.triton, str)
        else ""
    )
    raise CannotStart(f"Lectern was not ready within {READY_TIMEOUT:.0f} s: {missing}{address}")


def _missing(answer: httpx.Response) -> str:
    try:
        checks = answer.json()["checks"]
        return "; ".join(f"{check['name']}: {check['detail']}" for check in checks if not check["ok"])
    except (ValueError, KeyError, TypeError):
        return f"/readyz answers {answer.status_code}"
