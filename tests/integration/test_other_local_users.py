"""What another user of this machine can do to a Triton that is started here: nothing, and overhear nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shutil import copytree

import grpc
import httpx
import pytest
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

from orchestrator.embedded.triton_model_processes import SHARED_MEMORY
from tests.own_triton import ROOT, OwnTriton, own_triton
from tests.stack import temporary_home

NOBODY = 65534
CALLS = {
    "model control": ("RepositoryModelLoad", "RepositoryModelLoadRequest(model_name='espeak')"),
    "shared memory": ("SystemSharedMemoryStatus", "SystemSharedMemoryStatusRequest()"),
    "trace": ("TraceSetting", "TraceSettingRequest()"),
    "logging": ("LogSettings", "LogSettingsRequest()"),
    "inference": ("ModelInfer", "ModelInferRequest(model_name='espeak')"),
}
CALL = """
import os, sys
import grpc
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc
target, method, request = sys.argv[1:]
os.setgroups([])
os.setgid({nobody})
os.setuid({nobody})
with grpc.insecure_channel(target) as channel:
    call = getattr(service_pb2_grpc.GRPCInferenceServiceStub(channel), method)
    try:
        call(eval("pb." + request), timeout=10)
    except grpc.RpcError as error:
        print(error.code().name, error.details())
    else:
        print("OK")
"""


@pytest.fixture(scope="module", params=["as usual", "long"])
def triton(request: pytest.FixtureRequest) -> Iterator[OwnTriton]:
    """Not below pytest's own folder, which nobody else may enter anyway."""
    with temporary_home() as home:
        folder = home / ("long" * 30) if request.param == "long" else home
        folder.mkdir(parents=True)
        for each in (folder, home):
            each.chmod(0o711)
        copytree(ROOT / "model_repository" / "espeak", folder / "models" / "espeak")
        with own_triton(folder, folder / "models", {"espeak": 60}) as own:
            yield own
        assert not own.configuration.socket.exists()
        assert own.configuration.socket.parent.exists() == (request.param != "long")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("what", CALLS)
def test_another_user_reaches_nothing(triton: OwnTriton, what: str) -> None:
    told = as_nobody(f"unix:{triton.configuration.socket}", *CALLS[what])
    assert told.startswith("UNAVAILABLE")
    assert "Permission denied" in told
    assert triton.client.probe("espeak").samples


def test_nobody_is_let_in_by_another_door(triton: OwnTriton) -> None:
    pid = triton_process(triton)
    assert listening_ports(pid) == {triton.configuration.metrics_port}
    with httpx.Client(base_url=f"http://127.0.0.1:{triton.configuration.metrics_port}", trust_env=False) as metrics:
        assert metrics.get("/metrics").is_success
        for path in ("/v2/repository/models/espeak/unload", "/v2/logging", "/v2/models/espeak/infer"):
            assert metrics.post(path, json={}).is_client_error
            assert not metrics.get(path).content
    assert triton.client.probe("espeak").samples


def test_nobody_reads_what_a_model_is_sent(triton: OwnTriton) -> None:
    with closing(triton.client.speak("espeak", "The boathouse at Hereford. " * 70)) as chunks:
        next(chunks)
        regions = list(SHARED_MEMORY.glob(f"{triton.configuration.shared_memory}*"))
        assert regions
        assert {region.stat().st_mode & 0o777 for region in regions} == {0o600}


def test_its_own_user_controls_it(triton: OwnTriton) -> None:
    triton.client.unload("espeak")
    triton.client.load("espeak")
    assert triton.client.probe("espeak").samples
    with grpc.insecure_channel(f"unix:{triton.configuration.socket}") as channel:
        settings = service_pb2_grpc.GRPCInferenceServiceStub(channel).LogSettings(pb.LogSettingsRequest(), timeout=10)
    assert settings.settings["log_info"].bool_param


def as_nobody(target: str, method: str, request: str) -> str:
    program = CALL.format(nobody=NOBODY)
    command = [sys.executable, "-c", program, target, method, request]
    return subprocess.run(command, cwd="/", stdout=subprocess.PIPE, text=True, check=True).stdout


def triton_process(triton: OwnTriton) -> int:
    """Known by where it works, which is its own folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "exe").readlink().name == "tritonserver":
                found.append((int(entry.name), (entry / "cwd").readlink()))
        except OSError:  # it ended meanwhile, or is another user's
            continue
    return next(pid for pid, folder in found if folder == triton.configuration.state.resolve())


def listening_ports(pid: int) -> set[int]:
    open_sockets = {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()}
    ports = set()
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in open_sockets:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports
