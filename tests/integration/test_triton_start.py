"""A Triton that crashes while it starts or hangs is started again; one that ends has said why."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from lectern.triton import AsyncTriton
from orchestrator.embedded import CannotStart, triton
from orchestrator.embedded.triton import STARTS, TritonServer
from orchestrator.embedded.triton_model_processes import Stub, Stubs
from tests import fake_higgs
from tests.own_triton import LIMIT, configuration_of, processes_in

STALL = 2.5  # seconds; Triton looks every second whether a model's process lives

pytestmark = pytest.mark.anyio


async def started(folder: Path) -> TritonServer:
    (folder / "models").mkdir()
    return await TritonServer.start(configuration_of(folder, folder / "models", {}))


async def test_a_crash_costs_a_start(tmp_path: Path) -> None:
    server = await started(tmp_path)
    try:
        crashed = server.child
        crashed.kill()
        await server.wait_ready()
        assert crashed.process.returncode is not None
        assert server.child.process.returncode is None
        async with AsyncTriton(server.configuration.address) as client:
            assert await client.server_ready(timeout=60)
    finally:
        await server.stop()


@pytest.mark.parametrize(
    ("end", "starts", "said"),
    [
        pytest.param("kill -ABRT $$", STARTS - 1, r"ended by SIGABRT while starting \(again", id="crashes"),
        pytest.param("exit 1", 0, r"ended while starting \(again", id="ends with a status"),
    ],
)
async def test_what_ends_again_and_again_is_told(tmp_path: Path, end: str, starts: int, said: str) -> None:
    server = await started(tmp_path)
    try:
        first = server.child
        first.command = replace(first.command, argv=["sh", "-c", f"echo again; {end}"])
        (tmp_path / "triton.log").write_text("")
        if not starts:
            server.child = await type(first).spawn(first.command)
        first.kill()
        with pytest.raises(CannotStart, match=said):
            await server.wait_ready()
        assert (tmp_path / "triton.log").read_text().count("again") == max(1, starts)
    finally:
        await server.stop()


@pytest.mark.long
async def test_a_model_process_that_stalls_while_it_loads_costs_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Triton takes it for dead, and waits without end for it to end."""
    monkeypatch.setattr(triton, "START_TIMEOUT", 15.0)
    fake_higgs.install(tmp_path / "models", start=4)
    configuration = configuration_of(tmp_path, tmp_path / "models", {"higgs": ()})
    server = await TritonServer.start(configuration)
    try:
        stubs = Stubs(configuration.shared_memory)
        stub, first = await stalled(stubs, configuration.repository / "higgs"), server.child
        await server.wait_ready()
        assert first.process.returncode is not None, "it was given up"
        assert stub not in stubs.find("higgs")
        async with AsyncTriton(configuration.address) as client:
            assert (await client.probe("higgs", timeout=LIMIT)).samples
    finally:
        await server.stop()


async def stalled(stubs: Stubs, folder: Path) -> Stub:
    """Keeps the process of the model in this folder, which starts its engine, from showing that it lives."""
    async with asyncio.timeout(LIMIT):
        while not (found := stubs.find("higgs")) or not processes_in(folder):  # noqa: ASYNC110 - of others
            await asyncio.sleep(0.02)
    os.kill(found[0].pid, signal.SIGSTOP)
    await asyncio.sleep(STALL)
    os.kill(found[0].pid, signal.SIGCONT)
    return found[0]
