"""The guard loads models, and recovers those whose processes are killed or stopped."""

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lectern.triton import AsyncTriton, TritonError
from orchestrator.embedded.models import needs
from orchestrator.embedded.triton import TritonServer
from orchestrator.guard.model_guard import ModelGuard
from orchestrator.guard.model_processes import SHARED_MEMORY, Stub, Stubs
from orchestrator.guard.reports import Reports, State
from tests import fake_higgs, kokoro
from tests.own_triton import configuration_of, load_models, processes_in

pytestmark = [pytest.mark.long, pytest.mark.anyio]

ROOT = Path(__file__).parents[2]
RECOVERY_LIMIT = 120.0  # seconds, only against a hang; the model is found within 10, and then loaded
STALL = 2.5  # seconds; Triton looks every second whether a model's process lives


@dataclass
class Guarded:
    server: TritonServer
    triton: AsyncTriton
    guard: ModelGuard
    reports: Reports
    history: list[tuple[str, State]] = field(default_factory=list)

    @property
    def stubs(self) -> Stubs:
        return Stubs(self.server.configuration.shared_memory)

    def regions(self) -> set[str]:
        return {path.name for path in SHARED_MEMORY.glob(f"{self.server.configuration.shared_memory}*")}

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        await self.reports.wait(condition, RECOVERY_LIMIT)
        assert condition(), what

    async def until_it_speaks(self, *models: str) -> None:
        """Since now."""
        now = self.reports.now()
        for model in models:
            await self.until(lambda model=model: self.reports.spoke_since(model, now), f"{model} speaks")  # type: ignore[misc]

    async def until_recovered(self, model: str, times: int = 1) -> None:
        await self.until(lambda: self.guard.counts["recovered", model] == times, f"{model} was recovered")
        await self.until_it_speaks(model)


@asynccontextmanager
async def guarded(
    folder: Path,
    models: Sequence[str],
    *,
    repository: Path = ROOT / "model_repository",
    local: bool = True,
    required: bool = True,
    limits: str = "",
) -> AsyncIterator[Guarded]:
    """`local`: the guard sees the processes. `required`: it loads the models, else it finds them loaded."""
    configuration = configuration_of(folder, repository, needs(models, [repository]))
    server = await TritonServer.start(configuration)
    try:
        await server.wait_ready()
        if not required:
            await load_models(configuration)
        async with AsyncTriton(configuration.address) as triton:
            reports = Reports()
            guard = ModelGuard(
                triton,
                reports,
                required=configuration.needs if required else None,
                limits=limits,
                processes=Stubs(configuration.shared_memory) if local else None,
            )
            task = asyncio.create_task(guard.run())
            try:
                yield Guarded(server, triton, guard, reports)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
    finally:
        await server.stop()


def hums(folder: Path, *names: str, seconds: float = 0.0) -> Path:
    """A repository with hum models of these names, which take so long to load."""
    for name in names:
        shutil.copytree(ROOT / "tests" / "models" / "hum", folder / name)
        voice = folder / name / "1" / "voice.py"
        begin = "def __init__(self, _: Settings) -> None:\n"
        assert begin in voice.read_text()
        voice.write_text(voice.read_text().replace(begin, f"{begin}        time.sleep({seconds})\n"))
    return folder


async def speaks(guarded: Guarded, model: str) -> bool:
    try:
        return bool((await guarded.triton.probe(model, timeout=60)).samples)
    except TritonError:
        return False


def children(pid: int) -> list[int]:
    return [
        int(number)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for number in (task / "children").read_text().split()
    ]


async def talk(guarded: Guarded, model: str) -> None:
    """Load: a request whose fate does not matter."""
    try:
        async for _ in guarded.triton.speak(model, "busy " * 400, speed=0.25):
            pass
    except TritonError:
        pass


@asynccontextmanager
async def under_load(guarded: Guarded, model: str, requests: int) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        talking = [tasks.create_task(talk(guarded, model)) for _ in range(requests)]
        await asyncio.sleep(0)
        yield
        for request in talking:
            request.cancel()


@pytest.mark.parametrize("kill_signal", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
async def test_a_model_process_is_recovered_under_load(tmp_path: Path, kill_signal: signal.Signals) -> None:
    async with guarded(tmp_path, ["espeak"]) as own:
        await own.until_it_speaks("espeak")
        (victim,) = own.stubs.find("espeak")
        assert own.regions() == {victim.region}
        async with under_load(own, "espeak", 8):
            os.kill(victim.pid, kill_signal)
            await own.until_recovered("espeak", times=2)
        assert await speaks(own, "espeak")
        (successor,) = own.stubs.find("espeak")
        assert successor.pid != victim.pid
        assert own.regions() == {successor.region}, "the dead process's shared memory is gone"
    assert own.regions() == set()


@pytest.mark.parametrize("kill_signal", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
@pytest.mark.parametrize("needed", ["kokoro_g2p", "kokoro_acoustic"])
async def test_a_model_is_recovered_with_the_one_that_it_needs(
    tmp_path: Path, needed: str, kill_signal: signal.Signals
) -> None:
    repository = kokoro.lay_out(tmp_path / "models")
    async with guarded(tmp_path, ["kokoro"], repository=repository) as own:
        await own.until_it_speaks("kokoro")
        victim = own.stubs.find(needed)[0]
        spared = [stub for stub in own.stubs.find() if stub.model not in ("kokoro", needed)]
        os.kill(victim.pid, kill_signal)
        await own.until_recovered("kokoro", times=2)
        assert await speaks(own, "kokoro")
        assert victim.pid not in {stub.pid for stub in own.stubs.find()}
        if kill_signal is signal.SIGKILL:
            assert set(spared) <= set(own.stubs.find()), "what still works was not loaded again"
    assert own.regions() == set()


async def test_a_killed_model_is_recovered_without_rights_on_processes(tmp_path: Path) -> None:
    async with guarded(tmp_path, ["espeak"], local=False, required=False) as own:
        await own.until_it_speaks("espeak")
        (victim,) = own.stubs.find("espeak")
        victim.kill()
        await own.until_recovered("espeak")
        assert await speaks(own, "espeak")


async def test_the_recovery_of_a_slow_model_holds_up_no_other(tmp_path: Path) -> None:
    repository = hums(tmp_path / "models", "quick")
    hums(repository, "slow", seconds=6.0)
    async with guarded(tmp_path, ["quick", "slow"], repository=repository) as own:
        await own.until_it_speaks("slow")
        for model in ("slow", "quick"):
            (victim,) = own.stubs.find(model)
            victim.kill()
        await own.until(lambda: own.guard.counts["recovered", "quick"] == 2, "the quick one is recovered")
        assert own.guard.counts["recovered", "slow"] == 1, "while the slow one still loads"
        await own.until_it_speaks("quick")
        assert own.guard.counts["recovered", "slow"] == 1
        await own.until_recovered("slow", times=2)
        assert await speaks(own, "slow")
        assert own.regions() == {stub.region for stub in own.stubs.find()}


async def test_a_model_that_loads_for_too_long_is_told_by_name_and_loaded_again(tmp_path: Path) -> None:
    """Triton takes a stalled process for dead, and waits without end for it to end."""
    fake_higgs.install(tmp_path / "models", start=4)
    hums(tmp_path / "models", "quick")
    async with guarded(tmp_path, ["higgs", "quick"], repository=tmp_path / "models", limits="higgs.load=15") as own:
        stub = await stalled(own.stubs, tmp_path / "models" / "higgs")
        await own.until_it_speaks("quick")
        await own.until(lambda: own.guard.counts["recovery_failed", "higgs"] == 1, "it was given up")
        report = own.reports.get("higgs")
        assert report is not None
        assert (report.state, report.failures, report.late) == ("failed", 1, True)
        assert report.reason == "the model higgs was not loaded within 15 s"
        await own.until_recovered("higgs")
        assert stub not in own.stubs.find("higgs")
        assert await speaks(own, "higgs")


async def stalled(stubs: Stubs, folder: Path) -> Stub:
    """Keeps the process of the model in this folder, which starts its engine, from showing that it lives."""
    async with asyncio.timeout(RECOVERY_LIMIT):
        while not (found := stubs.find("higgs")) or not processes_in(folder):  # noqa: ASYNC110 - of others
            await asyncio.sleep(0.02)
    os.kill(found[0].pid, signal.SIGSTOP)
    await asyncio.sleep(STALL)
    os.kill(found[0].pid, signal.SIGCONT)
    return found[0]


async def test_a_model_that_cannot_be_loaded_is_told_with_its_reason(tmp_path: Path) -> None:
    fake_higgs.install(tmp_path / "models", cannot_start="no GPU here")
    hums(tmp_path / "models", "quick")
    async with guarded(tmp_path, ["higgs", "quick"], repository=tmp_path / "models") as own:
        await own.until_it_speaks("quick")
        await own.until(lambda: own.guard.counts["recovery_failed", "higgs"] > 0, "it cannot be loaded")
        report = own.reports.get("higgs")
        assert report is not None
        assert "the model higgs was not loaded: " in report.reason
        assert "no GPU here" in report.reason
        assert not report.late


async def test_a_model_that_an_operator_unloads_is_left_alone_unless_it_must_speak(tmp_path: Path) -> None:
    repository = hums(tmp_path / "models", "extra", "needed")
    async with guarded(tmp_path, ["needed"], repository=repository) as own:
        await own.triton.load("extra")
        await own.until_it_speaks("extra", "needed")
        await own.triton.unload("extra")
        await own.until(lambda: own.reports.get("extra") is None, "it is forgotten")
        await own.triton.unload("needed")
        await own.until_recovered("needed", times=2)
        assert not own.stubs.find("extra")


@pytest.mark.parametrize("kill_signal", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "hung"])
async def test_an_engine_that_fails_is_replaced_and_its_request_spoken_by_another(
    tmp_path: Path, kill_signal: signal.Signals
) -> None:
    """eSpeak NG's engines are processes of the model process, which restarts them itself."""
    async with guarded(tmp_path, ["espeak"]) as own:
        await own.until_it_speaks("espeak")
        (stub,) = own.stubs.find("espeak")
        engines = children(stub.pid)
        assert engines
        os.kill(engines[0], kill_signal)
        async with asyncio.timeout(RECOVERY_LIMIT):
            # The failed engine may have got one of the guard's own probes to speak, and is replaced after that.
            while engines[0] in (now := children(stub.pid)) or len(now) != len(engines):
                assert (await own.triton.probe("espeak", timeout=60)).samples
        assert own.stubs.find("espeak") == [stub]
        assert own.guard.counts["recovered", "espeak"] == 1, "only at first"


async def test_a_busy_model_is_left_alone(tmp_path: Path) -> None:
    """A full live queue refuses the probe; the model's process must stay the same."""
    async with guarded(tmp_path, ["espeak"]) as own:
        await own.until_it_speaks("espeak")
        before = own.stubs.find("espeak")
        async with under_load(own, "espeak", 120):
            await own.until(lambda: own.guard.counts["busy", "espeak"] > 1, "probes were refused")
        assert own.stubs.find("espeak") == before
        assert own.guard.counts["recovered", "espeak"] == 1


async def test_no_process_and_no_memory_outlives_a_killed_server(tmp_path: Path) -> None:
    async with guarded(tmp_path, ["espeak"]) as own:
        await own.until_it_speaks("espeak")
        (stub,) = own.stubs.find()
        assert not stub.orphaned()
        own.server.child.process.kill()
        await own.server.child.wait()
        end = time.monotonic() + RECOVERY_LIMIT
        while stub.alive():
            assert time.monotonic() < end, "the model process ended, by itself or by the guard"
            await asyncio.sleep(0.05)
    assert own.regions() == set()
