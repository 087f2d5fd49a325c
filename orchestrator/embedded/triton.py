"""NVIDIA Triton on this machine, run from wheels: one server process, and a model process for each model."""

import asyncio
import os
import secrets
import signal
import stat
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import structlog

from lectern.triton import AsyncTriton, TritonError
from lectern.triton.channel import SECRET_FILE, SECRET_KEY, SOCKET, grpc_target
from orchestrator.embedded import CannotStart, private_process
from orchestrator.embedded.child_process import Child, Command
from orchestrator.embedded.home import write_atomically
from orchestrator.embedded.triton_backends import ModelsEnvironment, inspect, make_backend_directory
from orchestrator.guard.model_processes import Stubs
from orchestrator.lib.environment import Secret

START_TIMEOUT = 60.0  # seconds until it answers, before it loads any model
DRAIN_SECONDS = 8  # for requests in flight; if a model process died, Triton waits all of it
EXIT_SLACK = 4.0
ANSWER_TIMEOUT = 3.0
POLL = 0.05
STARTS = 3  # in a row; what ends with a status would do so again
# A limit of the kernel, in bytes; the path of a home may be longer.
LONGEST_SOCKET = 107
# Prefixes of variables for an engine that a model runs in its own process: its device, build and tuning.
ENGINE_VARIABLES = ("CUDA_", "NVIDIA_", "VLLM_", "FLASHINFER_", "TORCH", "LECTERN_ENGINE_")

# All protocols but `health`: who may use these can run code, or read what others send.
RESTRICTED = ("model-repository", "model-config", "shared-memory", "trace", "logging")
INFERENCE = ("inference", "metadata", "statistics")

log = structlog.stdlib.get_logger("lectern.triton")

# Triton appends a colon and a port to any address: with port 0, a path ends in this.
_PORT = ":0"


@dataclass(frozen=True, slots=True)
class TritonConfiguration:
    """The configuration of one embedded Triton."""

    python: Path
    """The interpreter of the models environment."""
    repository: Path
    """The model repository, with a folder for each model."""
    backends: Path
    """The folder of our backends, each a folder with `model.py` in it."""
    state: Path
    """This server's own folder, in which the backend directory is made."""
    log: Path
    socket: Path
    """Where it listens for gRPC. Its clients can run code, so nobody else may enter the folder of the socket."""
    metrics_port: int
    shared_memory: str
    """Prefix of the names of this server's regions in /dev/shm; no other server may use it."""
    needs: Mapping[str, Sequence[str]] = field(default_factory=lambda: {"espeak": ()})
    """The voice models to load, and the models that each needs."""
    more_repositories: Sequence[Path] = ()
    """Searched for models after `repository`."""
    engine_python: Path | None = None
    """The interpreter of the engines' environment; None: the one that a model's configuration names."""
    load_timeouts: Mapping[str, float] = field(default_factory=dict)
    """Seconds to load, for the voice models that may take longer than others."""
    secret: Secret = field(default_factory=lambda: Secret(secrets.token_urlsafe(32)))
    """What a client of the restricted protocols must send; the same for all starts of this server."""
    restrict_inference: bool = True
    """Whether inference is restricted too."""
    device: Literal["cpu", "gpu"] = "cpu"
    """`gpu`: models that have a `configs/gpu.pbtxt` are loaded with it."""

    @property
    def secret_file(self) -> Path:
        """Where clients of our own user find the secret."""
        return self.socket.with_name(SECRET_FILE)

    @property
    def address(self) -> str:
        """The address of its gRPC endpoint."""
        return f"{SOCKET}{self.socket}"


def socket_in(state: Path) -> Path:
    """Returns the socket of a server with this folder: in it, or in a temporary folder if that path is too long."""
    near = state.absolute() / f"grpc{_PORT}"
    if len(os.fsencode(near)) <= LONGEST_SOCKET:
        return near
    return Path(tempfile.gettempdir(), f"lectern-{secrets.token_hex(8)}", near.name)


def arguments(configuration: TritonConfiguration, environment: ModelsEnvironment, backend_directory: Path) -> list[str]:
    """Returns the server's command line."""
    return [
        *(sys.executable, "-I", "-S", str(private_process.__file__)),
        str(environment.server),
        *(
            f"--model-repository={folder.resolve()}"
            for folder in (configuration.repository, *configuration.more_repositories)
        ),
        f"--backend-directory={backend_directory}",
        f"--cache-directory={environment.triton / 'caches'}",
        # Only unload and load recover a dead model process, and they need explicit control. The guard loads the models:
        # Triton itself would answer nobody before the slowest of them is loaded.
        "--model-control-mode=explicit",
        *(["--model-config-name=gpu"] if configuration.device == "gpu" else []),
        # Every config.pbtxt is complete; to complete one, Triton would start the model once more, which takes a second.
        "--disable-auto-complete-config",
        f"--backend-config=python,shm-region-prefix-name={configuration.shared_memory}",
        "--allow-http=false",
        f"--grpc-address={grpc_target(configuration.address).removesuffix(_PORT)}",
        f"--grpc-port={_PORT.removeprefix(':')}",
        private_process.PLACEHOLDER,
        "--metrics-address=127.0.0.1",
        f"--metrics-port={configuration.metrics_port}",
        f"--exit-timeout-secs={DRAIN_SECONDS}",
        "--log-format=ISO8601",
    ]


def restriction(configuration: TritonConfiguration) -> str:
    """Returns the argument for which the command line has a placeholder: it has the secret in it."""
    protocols = [*RESTRICTED, *(INFERENCE if configuration.restrict_inference else [])]
    return f"--grpc-restricted-protocol={','.join(protocols)}:{SECRET_KEY}={configuration.secret.reveal()}"


def variables(
    environment: ModelsEnvironment, base: Mapping[str, str], engine_python: Path | None = None
) -> dict[str, str]:
    """Returns the server's environment variables. Nothing else of `base` reaches the models, so no secret does."""
    inherited = {name: base[name] for name in ("HOME", "LANG", "LC_ALL", "TMPDIR", "TZ") if name in base}
    inherited |= {name: value for name, value in base.items() if name.startswith(ENGINE_VARIABLES)}
    if engine_python is not None:
        inherited["LECTERN_ENGINE_PYTHON"] = str(engine_python)
    return inherited | {
        # PATH alone selects the models' environment: their embedded interpreter ignores PYTHONPATH.
        "PATH": f"{environment.prefix / 'bin'}:{base.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(environment.prefix),
        # Without it a model process may mix another libpython of the same version with this one's standard library.
        "LD_LIBRARY_PATH": str(environment.library_folder),
        # Otherwise each thread of a model has its own heap, which never shrinks.
        "MALLOC_ARENA_MAX": "2",
    }


class TritonServer:
    """One running Triton. After it has ended, start another."""

    def __init__(self, configuration: TritonConfiguration, child: Child) -> None:
        self.configuration = configuration
        self.child = child

    @classmethod
    async def start(cls, configuration: TritonConfiguration) -> "TritonServer":
        """Starts a server; `wait_ready` says when it answers. Raises CannotStart."""
        environment = await inspect(configuration.python)
        backend_directory = configuration.state / "backends"
        await asyncio.to_thread(make_backend_directory, environment, configuration.backends, backend_directory)
        # Model processes of a killed server: only this server uses the prefix.
        await asyncio.to_thread(Stubs(configuration.shared_memory).end_all)
        _make_private(configuration.socket.parent)
        write_atomically(configuration.secret_file, configuration.secret.reveal(), mode=0o600)
        command = Command(
            argv=arguments(configuration, environment, backend_directory),
            env={
                **variables(environment, os.environ, configuration.engine_python),
                private_process.PRIVATE_ARGUMENT: restriction(configuration),
            },
            log=configuration.log,
            folder=configuration.state,
            grace=DRAIN_SECONDS + EXIT_SLACK,
        )
        return cls(configuration, await Child.spawn(command))

    async def wait_ready(self) -> None:
        """Returns once it answers, without any model; tries again after a crash or a timeout. Raises CannotStart."""
        secret = self.configuration.secret.reveal()
        async with AsyncTriton(self.configuration.address, secret=secret) as client:
            starts = 1
            while (failure := await self._failed_start(client)) is not None:
                if starts == STARTS:
                    raise CannotStart(f"{failure} ({self._last_line()})")
                await self._start_again(failure)
                starts += 1

    async def _failed_start(self, client: AsyncTriton) -> str | None:
        """Returns None once Triton answers, or how the start failed. Raises CannotStart if another would fail too."""
        limit = START_TIMEOUT
        try:
            async with asyncio.timeout(limit):
                while not await _is_ready(client):
                    if (status := self.child.process.returncode) is not None:
                        if status >= 0:
                            raise CannotStart(f"Triton ended while starting ({self._last_line()})")
                        return f"Triton was ended by {signal.Signals(-status).name} while starting"
                    await asyncio.sleep(POLL)
        except TimeoutError:
            return f"Triton did not answer within {limit:.0f} s"
        return None

    async def _start_again(self, failure: str) -> None:
        log.warning("triton is started again", failure=failure, last_line=self._last_line())
        self.child.kill()
        await self.child.process.wait()
        await asyncio.to_thread(Stubs(self.configuration.shared_memory).end_all)
        self.child = await Child.spawn(self.child.command)

    async def answers(self) -> bool:
        """Returns whether it still answers, whatever its models do."""
        async with AsyncTriton(self.configuration.address, secret=self.configuration.secret.reveal()) as client:
            try:
                await client.server_version(timeout=ANSWER_TIMEOUT)
            except TritonError:
                return False
        return True

    async def stop(self) -> None:
        """Lets requests in flight finish, for a bounded time, then ends the server and its model processes."""
        await self.child.stop()
        await asyncio.to_thread(Stubs(self.configuration.shared_memory).end_all)
        self.configuration.socket.unlink(missing_ok=True)
        self.configuration.secret_file.unlink(missing_ok=True)
        if self.configuration.socket.parent != self.configuration.state.absolute():
            self.configuration.socket.parent.rmdir()

    def _last_line(self) -> str:
        return f"{self.child.tail()}; see {self.configuration.log}"


def _make_private(folder: Path) -> None:
    """Makes a folder that only our user can enter. Raises CannotStart if it is another user's."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise CannotStart(f"{folder}, where Triton would listen, is another user's: set LECTERN_HOME to another folder")
    folder.chmod(0o700)


async def _is_ready(client: AsyncTriton) -> bool:
    try:
        return await client.server_ready(timeout=2.0)
    except TritonError:
        return False
