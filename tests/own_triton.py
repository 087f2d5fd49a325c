"""A separate Triton for tests that may break its models."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from lectern.triton import AsyncTriton, DeadlineExceeded, Triton
from orchestrator.embedded.ports import free_port
from orchestrator.embedded.triton import TritonConfiguration, TritonServer, socket_in
from orchestrator.guard.model_processes import Stubs

ROOT = Path(__file__).parents[1]
LIMIT = 60.0  # seconds in which what a test waits for must have happened


class OwnTriton:
    def __init__(self, configuration: TritonConfiguration) -> None:
        self.configuration = configuration
        self.client = Triton(configuration.address)
        self.stubs = Stubs(configuration.shared_memory)

    def engine_processes(self, model: str) -> list[int]:
        return processes_in(self.configuration.repository / model)

    def log(self) -> str:
        return self.configuration.log.read_text()

    def metrics(self) -> str:
        return httpx.get(
            f"http://127.0.0.1:{self.configuration.metrics_port}/metrics", timeout=LIMIT, trust_env=False
        ).text

    def engine_metric(self, name: str, model: str) -> float:
        """What the engine of this model counts or measures: of all its lanes together."""
        lines = [line for line in self.metrics().splitlines() if line.startswith(f"lectern_engine_{name}{{")]
        return sum(float(line.split()[-1]) for line in lines if f'model="{model}"' in line)


def until(condition: Callable[[], object], what: str, limit: float = LIMIT) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"not within {limit} s: {what}"
        time.sleep(0.02)


def processes_in(folder: Path) -> list[int]:
    """All that run there: in a model's folder an engine, which comes first, and what it has started."""
    found = []
    there = folder.resolve()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink() == there:
                found.append(int(entry.name))
        except OSError:  # it ended meanwhile, or is a zombie
            continue
    return sorted(found, key=_after_the_head_of_its_session)


def _after_the_head_of_its_session(pid: int) -> tuple[bool, int]:
    try:
        return os.getsid(pid) != pid, pid
    except ProcessLookupError:
        return True, pid


def configuration_of(
    folder: Path,
    repository: Path,
    needs: Mapping[str, Sequence[str]],
    load_timeouts: Mapping[str, float] | None = None,
) -> TritonConfiguration:
    metrics_port = free_port()
    return TritonConfiguration(
        python=ROOT / ".venvs" / "models" / "bin" / "python",
        repository=repository,
        backends=ROOT / "docker" / "triton" / "backends",
        state=folder,
        log=folder / "triton.log",
        socket=socket_in(folder),
        metrics_port=metrics_port,
        shared_memory=f"lectern-test-{metrics_port}-",
        needs=needs,
        load_timeouts=load_timeouts or {},
    )


async def load_models(configuration: TritonConfiguration) -> None:
    """Loads what a guard would load. Raises TritonError."""
    needed = [model for others in configuration.needs.values() for model in others]
    async with AsyncTriton(configuration.address) as client:
        for model in dict.fromkeys([*needed, *configuration.needs]):
            await client.load(model, timeout=configuration.load_timeouts.get(model, LIMIT) + LIMIT)


async def _started(configuration: TritonConfiguration) -> TritonServer:
    """Tries once more after a load that does not end (see `STARTS` of the embedded Triton), as the guard does."""
    for last in (False, True):
        server = await TritonServer.start(configuration)
        try:
            await server.wait_ready()
            await load_models(configuration)
        except BaseException as error:
            await server.stop()
            if last or not isinstance(error, DeadlineExceeded):
                raise
        else:
            return server
    raise AssertionError("the last try returns or raises")


@contextmanager
def own_triton(folder: Path, repository: Path, load_timeouts: Mapping[str, float] | None = None) -> Iterator[OwnTriton]:
    """``load_timeouts``: seconds, of the models that it runs with; tests load what else they need."""
    load_timeouts = load_timeouts or {}
    configuration = configuration_of(folder, repository, dict.fromkeys(load_timeouts, ()), load_timeouts)
    with asyncio.Runner() as runner:
        server = runner.run(_started(configuration))
        try:
            own = OwnTriton(configuration)
            yield own
            own.client.close()
        finally:
            runner.run(server.stop())
