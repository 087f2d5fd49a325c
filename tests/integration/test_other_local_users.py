"""What another user of this machine can do to a Triton that is started here: nothing, and overhear nothing."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copytree

import grpc
import httpx
import pytest
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc

from lectern.triton import Triton, TritonError
from lectern.triton.channel import call_metadata
from orchestrator.guard.model_processes import SHARED_MEMORY
from tests.own_triton import ROOT, OwnTriton, own_triton
from tests.stack import Stack, temporary_home

SOMEBODY = 65533  # nobody, which is 65534, may be who runs Postgres
CALLS = {
    "model control": ("RepositoryModelLoad", "RepositoryModelLoadRequest(model_name='espeak')"),
    "list of models": ("RepositoryIndex", "RepositoryIndexRequest()"),
    "configuration": ("ModelConfig", "ModelConfigRequest(name='espeak')"),
    "shared memory": ("SystemSharedMemoryStatus", "SystemSharedMemoryStatusRequest()"),
    "trace": ("TraceSetting", "TraceSettingRequest()"),
    "logging": ("LogSettings", "LogSettingsRequest()"),
    "inference": ("ModelInfer", "ModelInferRequest(model_name='espeak')"),
    "streams": ("ModelStreamInfer", "ModelInferRequest(model_name='espeak')"),
    "metadata": ("ModelMetadata", "ModelMetadataRequest(name='espeak')"),
    "statistics": ("ModelStatistics", "ModelStatisticsRequest(name='espeak')"),
}
AS_SOMEBODY = f"""
import os
os.setgroups([])
os.setgid({SOMEBODY})
os.setuid({SOMEBODY})
"""
CALL = """
import sys
import grpc
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc
target, method, request = sys.argv[1:]
{as_somebody}
with grpc.insecure_channel(target) as channel:
    call = getattr(service_pb2_grpc.GRPCInferenceServiceStub(channel), method)
    one = eval("pb." + request)
    try:
        if method == "ModelStreamInfer":
            list(call(iter([one]), timeout=10))
        else:
            call(one, timeout=10)
    except grpc.RpcError as error:
        print(error.code().name, error.details())
    else:
        print("OK")
"""
READABLE = """
import pathlib, sys
{as_somebody}
def walk(folder):
    try:
        entries = list(folder.iterdir())
    except PermissionError:
        return
    print(folder)
    for entry in entries:
        walk(entry) if entry.is_dir() else is_read(entry)
def is_read(file):
    try:
        file.open("rb").close()
    except OSError:
        return
    print(file)
for name in sys.argv[1:]:
    path = pathlib.Path(name)
    try:
        walk(path) if path.is_dir() else is_read(path)
    except PermissionError:
        pass
"""

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture(scope="module", params=["as usual", "long"])
def triton(request: pytest.FixtureRequest) -> Iterator[OwnTriton]:
    """Not below pytest's own folder, which nobody else may enter anyway."""
    with temporary_home() as home:
        folder = home / ("long" * 30) if request.param == "long" else home
        with espeak_triton(folder, home) as own:
            yield own
        assert not own.configuration.socket.exists()
        assert not own.configuration.secret_file.exists()
        assert own.configuration.socket.parent.exists() == (request.param != "long")


@pytest.fixture(scope="module")
def open_triton() -> Iterator[OwnTriton]:
    """One whose socket everybody may use, as it is with a port. Only the secret is between it and the others."""
    with temporary_home() as home, espeak_triton(home, home) as own:
        for path, mode in ((own.configuration.socket.parent, 0o711), (own.configuration.socket, 0o777)):
            path.chmod(mode)
        yield own


@contextmanager
def espeak_triton(folder: Path, home: Path) -> Iterator[OwnTriton]:
    folder.mkdir(parents=True)
    for each in (folder, home):
        each.chmod(0o711)
    copytree(ROOT / "model_repository" / "espeak", folder / "models" / "espeak")
    with own_triton(folder, folder / "models", {"espeak": 60}) as own:
        yield own


@only_root
@pytest.mark.parametrize("what", CALLS)
def test_another_user_does_not_reach_its_socket(triton: OwnTriton, what: str) -> None:
    told = call_as_somebody(triton, *CALLS[what])
    assert told.startswith("UNAVAILABLE")
    assert "Permission denied" in told
    assert triton.client.probe("espeak").samples


@only_root
@pytest.mark.parametrize("what", CALLS)
def test_another_user_who_reaches_it_lacks_the_secret(open_triton: OwnTriton, what: str) -> None:
    told = call_as_somebody(open_triton, *CALLS[what])
    assert told.startswith("UNAVAILABLE This protocol is restricted, expecting header")
    assert open_triton.client.probe("espeak").samples


@only_root
def test_another_user_reads_none_of_its_files(triton: OwnTriton) -> None:
    regions = list(SHARED_MEMORY.glob(f"{triton.configuration.shared_memory}*"))
    found = as_somebody(READABLE, triton.configuration.state, triton.configuration.socket.parent, *regions)
    # The test itself has put the models there.
    assert [line for line in found.splitlines() if "/models" not in line] == []


def test_the_secret_is_told_to_nobody(tmp_path: Path) -> None:
    """It stands in no command line at any moment, as everybody may read those; and the models do not get it."""
    seen: set[bytes] = set()
    started = threading.Event()

    def watch() -> None:
        while not started.is_set():
            seen.update(map(command_line, processes()))

    thread = threading.Thread(target=watch)
    thread.start()
    copytree(ROOT / "model_repository" / "espeak", tmp_path / "models" / "espeak")
    try:
        with own_triton(tmp_path, tmp_path / "models", {"espeak": 60}) as own:
            started.set()
            thread.join()
            secret = own.configuration.secret.reveal().encode()
            assert any(b"tritonserver" in line and b"--private" in line for line in seen), "its start was seen"
            assert not [line for line in seen if secret in line]
            server = triton_process(own)
            stubs = own.stubs.find()
            assert secret in (Path("/proc") / str(server) / "environ").read_bytes(), "which only its user can read"
            assert stubs
            assert not [stub for stub in stubs if secret in (Path("/proc") / str(stub.pid) / "environ").read_bytes()]
            assert own.configuration.secret_file.stat().st_mode & 0o777 == 0o600
    finally:
        started.set()
        thread.join()


def test_a_secret_that_is_wrong_is_told(triton: OwnTriton) -> None:
    with Triton(triton.configuration.address, secret="a guess") as client, pytest.raises(TritonError, match="secret"):
        client.probe("espeak")


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
    for _ in range(2):
        with closing(triton.client.speak("espeak", "The boathouse at Hereford. " * 70)) as chunks:
            next(chunks)
            regions = list(SHARED_MEMORY.glob(f"{triton.configuration.shared_memory}*"))
            assert regions
            assert {region.stat().st_mode & 0o777 for region in regions} == {0o600}
        triton.client.unload("espeak")  # a model that is loaded again has new regions
        triton.client.load("espeak")


def test_its_own_user_controls_it(triton: OwnTriton) -> None:
    triton.client.unload("espeak")
    triton.client.load("espeak")
    assert triton.client.probe("espeak").samples
    with grpc.insecure_channel(f"unix:{triton.configuration.socket}") as channel:
        settings = service_pb2_grpc.GRPCInferenceServiceStub(channel).LogSettings(
            pb.LogSettingsRequest(), timeout=10, metadata=call_metadata(triton.configuration.address, None)
        )
    assert settings.settings["log_info"].bool_param


@only_root
def test_another_user_reads_nothing_in_the_home(stack: Stack) -> None:
    """Nor lists anything, though whoever runs Postgres must pass through the home."""
    assert as_somebody(READABLE, stack.home, *stack.home.iterdir()) == ""
    assert stack.is_ready()


def call_as_somebody(triton: OwnTriton, method: str, request: str) -> str:
    return as_somebody(CALL, f"unix:{triton.configuration.socket}", method, request)


def as_somebody(program: str, *arguments: str | Path) -> str:
    command = [sys.executable, "-c", program.replace("{as_somebody}", AS_SOMEBODY), *map(str, arguments)]
    return subprocess.run(command, cwd="/", stdout=subprocess.PIPE, text=True, check=True).stdout


def processes() -> list[Path]:
    return [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:  # it ended meanwhile
        return b""


def triton_process(triton: OwnTriton) -> int:
    """Known by where it works, which is its own folder."""
    found = []
    for entry in processes():
        try:
            if (entry / "exe").readlink().name == "tritonserver":
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
