"""The watchdog recovers models whose processes are killed or stopped."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lectern.triton import AsyncTriton, TritonError
from orchestrator.embedded.models import needs
from orchestrator.embedded.triton import TritonServer
from orchestrator.embedded.triton_model_processes import SHARED_MEMORY, Stubs
from orchestrator.embedded.watchdog import Watchdog
from tests import kokoro
from tests.own_triton import configuration_of

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
RECOVERY_LIMIT = 120.0  # seconds, only against a hang; the model is found within 10, and then loaded


@asynccontextmanager
async def watched_triton(
    folder: Path, *, local: bool = True, repository: Path = ROOT / "model_repository", model: str = "espeak"
) -> AsyncIterator[tuple[TritonServer, Watchdog]]:
    configuration = configuration_of(folder, repository, needs([model], [repository]))
    server = await TritonServer.start(configuration)
    try:
        await server.wait_ready()
        stubs = Stubs(configuration.shared_memory) if local else None
        watchdog = Watchdog(configuration.address, configuration.needs if local else None, stubs)
        task = asyncio.create_task(watchdog.run())
        try:
            yield server, watchdog
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    finally:
        await server.stop()


async def until(condition: Callable[[], bool], limit: float, what: str) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"not within {limit} s: {what}"
        await asyncio.sleep(0.05)


async def speaks(address: str) -> bool:
    async with AsyncTriton(address) as triton:
        try:
            await triton.probe("espeak", timeout=2.0)
        except TritonError:
            return False
        return True


async def until_probed(watchdog: Watchdog) -> None:
    """The watchdog knows the process of a model after its first successful probe."""
    await until(lambda: watchdog.counts["speaks", "espeak"] > 0, 30, "a first probe")


def children(pid: int) -> list[int]:
    return [
        int(number)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for number in (task / "children").read_text().split()
    ]


def regions(server: TritonServer) -> set[str]:
    return {path.name for path in SHARED_MEMORY.glob(f"{server.configuration.shared_memory}*")}


@pytest.mark.parametrize("kill_signal", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
def test_a_model_process_is_recovered(tmp_path: Path, kill_signal: signal.Signals) -> None:
    async def story() -> None:
        async with watched_triton(tmp_path) as (server, watchdog):
            await until_probed(watchdog)
            stubs = Stubs(server.configuration.shared_memory)
            (victim,) = stubs.find("espeak")
            assert regions(server) == {victim.region}
            os.kill(victim.pid, kill_signal)
            await until(lambda: watchdog.counts["recovered", "espeak"] == 1, RECOVERY_LIMIT, "recovered")
            assert await speaks(server.configuration.address)
            (successor,) = stubs.find("espeak")
            assert successor.pid != victim.pid
            assert regions(server) == {successor.region}, "the dead process's shared memory is gone"
        assert regions(server) == set()

    asyncio.run(story())


@pytest.mark.parametrize("needed", ["kokoro_g2p", "kokoro_acoustic"])
def test_a_model_is_recovered_when_one_that_it_needs_is_killed(tmp_path: Path, needed: str) -> None:
    async def story() -> None:
        repository = kokoro.lay_out(tmp_path / "models")
        async with watched_triton(tmp_path, repository=repository, model="kokoro") as (server, watchdog):
            await until(lambda: watchdog.counts["speaks", "kokoro"] > 0, 30, "a first probe")
            stubs = Stubs(server.configuration.shared_memory)
            victim = stubs.find(needed)[0]
            victim.kill()
            await until(lambda: watchdog.counts["recovered", "kokoro"] == 1, RECOVERY_LIMIT, "recovered")
            async with AsyncTriton(server.configuration.address) as triton:
                assert (await triton.probe("kokoro")).samples
            assert victim.pid not in {stub.pid for stub in stubs.find()}
        assert regions(server) == set()

    asyncio.run(story())


def test_a_killed_model_is_recovered_without_rights_on_processes(tmp_path: Path) -> None:
    async def story() -> None:
        async with watched_triton(tmp_path, local=False) as (server, watchdog):
            (victim,) = Stubs(server.configuration.shared_memory).find("espeak")
            victim.kill()
            await until(lambda: watchdog.counts["recovered", "espeak"] == 1, RECOVERY_LIMIT, "recovered")
            assert await speaks(server.configuration.address)

    asyncio.run(story())


@pytest.mark.parametrize("kill_signal", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
def test_an_engine_that_fails_is_replaced_and_its_request_spoken_by_another(
    tmp_path: Path, kill_signal: signal.Signals
) -> None:
    """eSpeak NG's engines are processes of the model process, which restarts them itself."""

    async def story() -> None:
        async with watched_triton(tmp_path) as (server, watchdog), AsyncTriton(server.configuration.address) as triton:
            (stub,) = Stubs(server.configuration.shared_memory).find("espeak")
            engines = children(stub.pid)
            assert engines
            os.kill(engines[0], kill_signal)
            async with asyncio.timeout(RECOVERY_LIMIT):
                # The failed engine may have got one of the watchdog's own probes to speak, and is replaced after that.
                while engines[0] in (now := children(stub.pid)) or len(now) != len(engines):
                    assert (await triton.probe("espeak", timeout=60)).samples
            assert Stubs(server.configuration.shared_memory).find("espeak") == [stub]
            assert not watchdog.counts["recovered", "espeak"]

    asyncio.run(story())


def test_a_busy_model_is_left_alone(tmp_path: Path) -> None:
    """A full live queue refuses the probe; the model's process must stay the same."""

    async def one(triton: AsyncTriton) -> None:
        try:
            async for _ in triton.speak("espeak", "busy " * 400, speed=0.25):
                pass
        except TritonError:
            pass

    async def story() -> None:
        async with watched_triton(tmp_path) as (server, watchdog), AsyncTriton(server.configuration.address) as triton:
            (before,) = Stubs(server.configuration.shared_memory).find("espeak")
            async with asyncio.TaskGroup() as tasks:
                flood = [tasks.create_task(one(triton)) for _ in range(120)]
                await until(lambda: watchdog.counts["busy", "espeak"] > 0, 60, "a probe was refused")
                for request in flood:
                    request.cancel()
            assert Stubs(server.configuration.shared_memory).find("espeak") == [before]
            assert not watchdog.counts["recovered", "espeak"]

    asyncio.run(story())


def test_no_process_and_no_memory_outlives_a_killed_server(tmp_path: Path) -> None:
    async def story() -> None:
        async with watched_triton(tmp_path) as (server, _):
            stubs = Stubs(server.configuration.shared_memory)
            (stub,) = stubs.find()
            server.child.process.kill()
            await server.child.wait()
            await until(lambda: not stub.alive(), 10, "the model process ended by itself")
        assert regions(server) == set()

    asyncio.run(story())
