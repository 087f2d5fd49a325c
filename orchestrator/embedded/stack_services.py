"""How each service of a stack is started, and how it shows that it is ready."""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import httpx
import msgspec

from orchestrator.embedded import CannotStart
from orchestrator.embedded.child_process import Child, Command
from orchestrator.embedded.configuration import ROOT
from orchestrator.embedded.home import Home, write_atomically
from orchestrator.embedded.postgres import Postgres
from orchestrator.embedded.supervisor import RunningService, describe_status
from orchestrator.embedded.triton import TritonConfiguration, TritonServer
from orchestrator.guard.reports import ModelReport, ModelReports

SETUP_TIMEOUT = 120.0
WEB_TIMEOUT = 60.0
ANSWER_TIMEOUT = 3.0
LOADS = 2  # of a model that takes too long, before the start is given up
POLL = 0.1
GRACE = 12.0  # seconds; longer than the web process waits for open responses


async def start_postgres(postgres: Postgres) -> RunningService:
    child = await postgres.start()
    return RunningService(child, lambda: postgres.wait_ready(child), child.stop)


async def start_triton(configuration: TritonConfiguration) -> RunningService:
    server = await TritonServer.start(configuration)
    return RunningService(server.child, server.wait_ready, server.stop, server.answers)


class _KeyOutput(msgspec.Struct, frozen=True):
    api_key: str | None


@dataclass(frozen=True, slots=True)
class Orchestrator:
    """The commands of the orchestrator, with the addresses that they need in their environment."""

    home: Home
    env: Mapping[str, str]

    async def set_up(self) -> str | None:
        """Migrate the database and make sure that the home has an API key. Raises CannotStart.

        Returns the key if it is new: the account is new, or the home had no key.
        """
        new_key = await self._run_for_key("setup")
        if new_key is None and not self.home.api_key.exists():
            new_key = await self._run_for_key("key")
        if new_key is not None:
            write_atomically(self.home.api_key, f"{new_key}\n", mode=0o600)
        return new_key

    async def _run_for_key(self, name: str) -> str | None:
        child = await Child.spawn(self._command(name, output=asyncio.subprocess.PIPE))
        log = child.command.log
        try:
            async with asyncio.timeout(SETUP_TIMEOUT):
                output, _ = await child.process.communicate()
        except TimeoutError:
            raise CannotStart(f"the database was not ready for use within {SETUP_TIMEOUT:.0f} s: see {log}") from None
        finally:
            await child.stop()
        if status := await child.wait():
            raise CannotStart(f"`orchestrator {name}` {describe_status(status)}: {child.tail()} (see {log})")
        try:
            return msgspec.json.decode(output, type=_KeyOutput).api_key
        except msgspec.DecodeError as error:
            raise CannotStart(f"`orchestrator {name}` did not answer as expected: {error}") from None

    async def start_worker(self) -> RunningService:
        child = await Child.spawn(self._command("worker"))
        return RunningService(child, _no_check, child.stop)

    async def start_web(self, url: str) -> RunningService:
        child = await Child.spawn(self._command("serve"))
        return RunningService(child, lambda: _wait_until_healthy("the web process", url, child), child.stop)

    async def start_guard(self, url: str) -> RunningService:
        child = await Child.spawn(self._command("guard"))
        ready = partial(_wait_until_healthy, "the guard", url, child)
        return RunningService(child, ready, child.stop, partial(_is_healthy, url))

    def _command(self, name: str, output: int | None = None) -> Command:
        argv = [sys.executable, "-m", "orchestrator", name]
        log = self.home.log({"serve": "web"}.get(name, name))
        return Command(argv, log, self.env, ROOT, grace=GRACE, output=output)


async def _no_check() -> None:
    """The worker has no address to ask: whether it works shows when a document is read."""


async def _is_healthy(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_TIMEOUT) as client:
        try:
            return (await client.get(f"{url}/healthz")).is_success
        except httpx.TransportError:
            return False


async def wait_until_models_speak(guard_url: str, say: Callable[[str], None]) -> None:
    """Returns once every model that must speak does. Raises CannotStart as soon as one cannot be loaded."""
    told: dict[str, ModelReport] = {}
    async with httpx.AsyncClient(trust_env=False, timeout=ANSWER_TIMEOUT) as client:
        while True:
            try:
                answer = await client.get(f"{guard_url}/readyz")
                found = msgspec.json.decode(answer.content, type=ModelReports)
            except httpx.TransportError:  # its supervisor deals with that
                await asyncio.sleep(POLL)
                continue
            for report in found.models:
                last = told.get(report.model)
                told[report.model] = report
                if report.state == "failed" and (last is None or last.failures != report.failures):
                    if not report.late or report.failures >= LOADS:
                        raise CannotStart(report.reason)
                    say(f"{report.reason}; it is loaded again")
                if report.state == "speaks" and (last is None or last.state != "speaks"):
                    say(f"{report.model} speaks")
            if found.status == "ready":
                return
            await asyncio.sleep(POLL)


async def _wait_until_healthy(name: str, url: str, child: Child) -> None:
    log = child.command.log
    limit = time.monotonic() + WEB_TIMEOUT
    async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
        while time.monotonic() < limit:
            if child.process.returncode is not None:
                raise CannotStart(f"{name} {describe_status(child.process.returncode)}: {child.tail()} (see {log})")
            try:
                if (await client.get(f"{url}/healthz")).is_success:
                    return
            except httpx.TransportError:
                pass  # it does not listen yet
            await asyncio.sleep(0.05)
    raise CannotStart(f"{name} did not answer within {WEB_TIMEOUT:.0f} s: see {log}")
