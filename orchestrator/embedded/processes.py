"""How each part of a stack is started, and how it is known to serve."""

import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import msgspec

from orchestrator.embedded.child_process import Child, Command, tail
from orchestrator.embedded.configuration import ROOT
from orchestrator.embedded.errors import CannotStart
from orchestrator.embedded.home import Home, write_atomically
from orchestrator.embedded.postgres import Postgres
from orchestrator.embedded.supervisor import Started, describe
from orchestrator.embedded.triton import TritonConfiguration, TritonServer

SETUP_TIMEOUT = 120.0
WEB_TIMEOUT = 60.0
GRACE = 12.0  # longer than the web process gives open responses to end


async def start_postgres(postgres: Postgres) -> Started:
    child = await postgres.start()
    return Started(child, lambda: postgres.wait_ready(child), child.stop)


async def start_triton(plan: TritonConfiguration) -> Started:
    server = await TritonServer.start(plan)
    return Started(server.child, server.wait_ready, server.stop)


class _Said(msgspec.Struct, frozen=True):
    api_key: str | None


@dataclass(frozen=True, slots=True)
class Orchestrator:
    """The commands of the orchestrator, with the addresses of everything that it needs in their environment."""

    home: Home
    env: Mapping[str, str]

    async def set_up(self) -> str | None:
        """Bring the database up to date and see that the home holds an API key. Raises CannotStart.

        Returns the key if it is new: of an account just made, or a further one because the home had none.
        """
        new_key = await self._told_key("setup")
        if new_key is None and not self.home.api_key.exists():
            new_key = await self._told_key("key")
        if new_key is not None:
            write_atomically(self.home.api_key, f"{new_key}\n", mode=0o600)
        return new_key

    async def _told_key(self, name: str) -> str | None:
        child = await Child.spawn(self._command(name, output=asyncio.subprocess.PIPE))
        log = child.command.log
        try:
            async with asyncio.timeout(SETUP_TIMEOUT):
                said, _ = await child.process.communicate()
        except TimeoutError:
            raise CannotStart(f"the database was not ready for use within {SETUP_TIMEOUT:.0f} s: see {log}") from None
        finally:
            await child.stop()
        if status := await child.wait():
            raise CannotStart(f"`orchestrator {name}` {describe(status)}: {tail(log)} (see {log})")
        try:
            return msgspec.json.decode(said, type=_Said).api_key
        except msgspec.DecodeError as error:
            raise CannotStart(f"`orchestrator {name}` did not answer as expected: {error}") from None

    async def start_worker(self) -> Started:
        child = await Child.spawn(self._command("worker"))
        return Started(child, _at_once, child.stop)

    async def start_web(self, url: str) -> Started:
        child = await Child.spawn(self._command("serve"))
        return Started(child, lambda: _answers(url, child), child.stop)

    def _command(self, name: str, output: int | None = None) -> Command:
        argv = [sys.executable, "-m", "orchestrator", name]
        log = self.home.log({"serve": "web"}.get(name, name))
        return Command(argv, log, self.env, ROOT, grace=GRACE, output=output)


async def _at_once() -> None:
    """The worker has no door to knock at: that it works is seen when a document is read."""


async def _answers(url: str, child: Child) -> None:
    log = child.command.log
    limit = time.monotonic() + WEB_TIMEOUT
    async with httpx.AsyncClient(trust_env=False, timeout=2.0) as client:
        while time.monotonic() < limit:
            if child.process.returncode is not None:
                raise CannotStart(f"the web process {describe(child.process.returncode)}: {tail(log)} (see {log})")
            try:
                if (await client.get(f"{url}/healthz")).is_success:
                    return
            except httpx.TransportError:
                pass  # it does not listen yet
            await asyncio.sleep(0.05)
    raise CannotStart(f"the web process did not answer within {WEB_TIMEOUT:.0f} s: see {log}")
