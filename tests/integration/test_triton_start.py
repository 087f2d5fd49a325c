"""A Triton that crashes while it starts or hangs is started again; one that ends has said why."""

from dataclasses import replace
from pathlib import Path

import pytest

from lectern.triton import AsyncTriton
from orchestrator.embedded import CannotStart
from orchestrator.embedded.triton import STARTS, TritonServer
from tests.own_triton import configuration_of

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
