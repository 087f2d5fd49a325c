"""A real NVIDIA Triton on this machine, run from wheels: one child process, and a model process for each model."""

import asyncio
import os
import re
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
from lectern.triton.channel import SOCKET, grpc_target
from orchestrator.embedded import private_files
from orchestrator.embedded.child_process import Child, Command, tail
from orchestrator.embedded.errors import CannotStart
from orchestrator.embedded.triton_backends import ModelsEnvironment, inspect, lay_out
from orchestrator.embedded.triton_stubs import Stubs

START_TIMEOUT = 120.0
DRAIN_SECONDS = 8  # what is in flight may take so long to finish; a model process that died makes Triton wait it all
EXIT_SLACK = 4.0
POLL = 0.05
# Triton 2.51 takes a model process for dead that has given no sign of life for a second, for which it is enough that
# the machine stalls. While the model loads, it then waits without end for the process to end; later it crashes, as the
# process still sends by what it has freed. The next start is another throw. What cannot load ends it with a status.
STARTS = 3
# A socket's path may be 107 bytes long at most, and a home's path may be longer.
LONGEST_SOCKET = 107
# Of what concerns an engine that a model runs in a process of its own: which device it has, how it is built and tuned.
ENGINE_VARIABLES = ("CUDA_", "NVIDIA_", "VLLM_", "FLASHINFER_", "TORCH", "LECTERN_ENGINE_")

log = structlog.stdlib.get_logger("lectern.triton")

# Triton puts a colon and a port behind whatever address it is given: with port 0, a path ends in this.
_PORT = ":0"
_NOT_LOADED = "UNAVAILABLE: "  # in Triton's table of the models, before the reason


@dataclass(frozen=True, slots=True)
class TritonConfiguration:
    """Everything that one embedded Triton is started from."""

    python: Path
    """The interpreter of the models environment."""
    repository: Path
    """The model repository: a folder a model."""
    own_backends: Path
    """Our backends: a folder each, with `model.py` in it."""
    state: Path
    """A folder of this server's own; the backend directory is laid out in it."""
    log: Path
    socket: Path
    """Where it listens for gRPC: whoever reaches it may run code, so that nobody else may enter the socket's folder."""
    metrics_port: int
    shared_memory: str
    """What the names of this server's regions in /dev/shm begin with; no other server may use it."""
    needs: Mapping[str, Sequence[str]] = field(default_factory=lambda: {"espeak": ()})
    """The voice models to load, and the models that each needs."""
    more_repositories: Sequence[Path] = ()
    """Searched for models after `repository`."""
    engine_python: Path | None = None
    """The interpreter of the environment of such engines; None: what a model's configuration names."""
    load_timeouts: Mapping[str, float] = field(default_factory=dict)
    """Seconds, of the voice models that may take longer than others to load."""
    device: Literal["cpu", "gpu"] = "cpu"
    """Models that have a configuration of this name, `configs/gpu.pbtxt`, are loaded by it."""

    @property
    def models(self) -> list[str]:
        """All models to load, in an order in which each finds what it needs."""
        needed = [model for others in self.needs.values() for model in others]
        return list(dict.fromkeys([*needed, *self.needs]))

    @property
    def start_timeout(self) -> float:
        """Seconds until all models must be loaded, which Triton does at the same time."""
        return max([START_TIMEOUT, *(seconds + START_TIMEOUT for seconds in self.load_timeouts.values())])

    @property
    def address(self) -> str:
        """Of its gRPC endpoint."""
        return f"{SOCKET}{self.socket}"


def socket_in(state: Path) -> Path:
    """Return where a server with this folder listens: in it, or in a new temporary folder if that is too long."""
    near = state.absolute() / f"grpc{_PORT}"
    if len(os.fsencode(near)) <= LONGEST_SOCKET:
        return near
    return Path(tempfile.gettempdir(), f"lectern-{secrets.token_hex(8)}", near.name)


def arguments(plan: TritonConfiguration, environment: ModelsEnvironment, backends: Path) -> list[str]:
    """Return the server's command line."""
    return [
        *(sys.executable, "-I", "-S", str(private_files.__file__)),
        str(environment.server),
        *(f"--model-repository={folder.resolve()}" for folder in (plan.repository, *plan.more_repositories)),
        f"--backend-directory={backends}",
        f"--cache-directory={environment.triton / 'caches'}",
        # A model process that died is only ever recovered by unload and load, which need explicit control.
        "--model-control-mode=explicit",
        *(f"--load-model={model}" for model in plan.models),
        *(["--model-config-name=gpu"] if plan.device == "gpu" else []),
        # Every config.pbtxt is complete; starting a model once more only to complete its config costs a second.
        "--disable-auto-complete-config",
        f"--backend-config=python,shm-region-prefix-name={plan.shared_memory}",
        "--allow-http=false",
        f"--grpc-address={grpc_target(plan.address).removesuffix(_PORT)}",
        f"--grpc-port={_PORT.removeprefix(':')}",
        "--metrics-address=127.0.0.1",
        f"--metrics-port={plan.metrics_port}",
        f"--exit-timeout-secs={DRAIN_SECONDS}",
        "--log-format=ISO8601",
    ]


def variables(
    environment: ModelsEnvironment, base: Mapping[str, str], engine_python: Path | None = None
) -> dict[str, str]:
    """Return the server's environment variables; nothing else of `base` reaches the models, secrets least of all."""
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
        # Each of a model's threads would keep a heap of its own, and each heap what it once needed.
        "MALLOC_ARENA_MAX": "2",
    }


class TritonServer:
    """One running Triton; when it has ended, start another."""

    def __init__(self, plan: TritonConfiguration, child: Child) -> None:
        self.plan = plan
        self.child = child

    @classmethod
    async def start(cls, plan: TritonConfiguration) -> "TritonServer":
        """Start a server; `wait_ready` says when it answers. Raises CannotStart."""
        environment = await inspect(plan.python)
        backends = plan.state / "backends"
        await asyncio.to_thread(lay_out, environment, plan.own_backends, backends)
        # Of a server that was killed; only this one has the prefix.
        await asyncio.to_thread(Stubs(plan.shared_memory).end_all)
        _shut(plan.socket.parent)
        command = Command(
            argv=arguments(plan, environment, backends),
            env=variables(environment, os.environ, plan.engine_python),
            log=plan.log,
            folder=plan.state,
            grace=DRAIN_SECONDS + EXIT_SLACK,
        )
        return cls(plan, await Child.spawn(command))

    async def wait_ready(self) -> None:
        """Return once every wanted model is loaded; a start that crashes or takes too long is made again.

        Raises CannotStart.

        A loaded model may still be unable to speak: only a synthesis proves that it can.
        """
        async with AsyncTriton(self.plan.address) as client:
            starts = 1
            while (trouble := await self._trouble_in_start(client)) is not None:
                if starts == STARTS:
                    raise CannotStart(f"{trouble} ({self._log_says()})")
                await self._start_again(trouble)
                starts += 1

    async def _trouble_in_start(self, client: AsyncTriton) -> str | None:
        """Wait until it answers, within the plan's time; say what kept it from that. Raises CannotStart."""
        limit = self.plan.start_timeout
        try:
            async with asyncio.timeout(limit):
                while not await _answers(client):
                    if (status := self.child.process.returncode) is not None:
                        if status >= 0:
                            raise CannotStart(f"Triton ended while starting ({self._log_says()})")
                        return f"Triton was ended by {signal.Signals(-status).name} while starting"
                    await asyncio.sleep(POLL)
        except TimeoutError:
            return f"Triton did not answer within {limit:.0f} s"
        return None

    async def _start_again(self, trouble: str) -> None:
        log.warning("triton is started again", trouble=trouble, said=self._log_says())
        self.child.kill()
        await self.child.process.wait()
        await asyncio.to_thread(Stubs(self.plan.shared_memory).end_all)
        self.child = await Child.spawn(self.child.command)

    async def stop(self) -> None:
        """Let it finish what is in flight, for a bounded time, then end it and its model processes."""
        await self.child.stop()
        await asyncio.to_thread(Stubs(self.plan.shared_memory).end_all)
        self.plan.socket.unlink(missing_ok=True)
        if self.plan.socket.parent != self.plan.state.absolute():
            self.plan.socket.parent.rmdir()

    def _log_says(self) -> str:
        last = tail(self.plan.log, _NOT_LOADED)
        if failed := re.match(rf"\|\s*(\S+)\s*\|[^|]*\|\s*{_NOT_LOADED}(.*?)\s*\|?$", last):
            last = f"the model {failed[1]} was not loaded: {failed[2]}"
        return f"{last or 'it said nothing'}; see {self.plan.log}"


def _shut(folder: Path) -> None:
    """Make a folder that only we can enter. Raises CannotStart if it is somebody else's."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise CannotStart(f"{folder}, where Triton would listen, is another user's: set LECTERN_HOME to another folder")
    folder.chmod(0o700)


async def _answers(client: AsyncTriton) -> bool:
    try:
        return await client.server_ready(timeout=2.0)
    except TritonError:
        return False
