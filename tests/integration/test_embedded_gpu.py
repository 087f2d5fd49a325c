"""A stack for a GPU loads the configurations for one. Whether they are good ones only a machine with a GPU can tell."""

from dataclasses import replace
from pathlib import Path

import pytest

from lectern.triton import TritonError
from orchestrator.embedded.models import needs
from orchestrator.embedded.triton import TritonServer
from tests import kokoro
from tests.own_triton import configuration_of, load_models

pytestmark = pytest.mark.anyio


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="here the models would load")
async def test_without_a_gpu_a_stack_for_one_says_what_is_missing(tmp_path: Path) -> None:
    repository = kokoro.lay_out(tmp_path / "models")
    configuration = replace(configuration_of(tmp_path, repository, needs(["kokoro"], [repository])), device="gpu")
    server = await TritonServer.start(configuration)
    try:
        await server.wait_ready()
        with pytest.raises(TritonError, match="no GPUs are available"):
            await load_models(configuration)
    finally:
        await server.stop()
