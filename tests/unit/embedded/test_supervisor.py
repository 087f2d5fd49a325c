import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from orchestrator.embedded import CannotStart
from orchestrator.embedded import supervisor as module
from orchestrator.embedded.child_process import Child, Command
from orchestrator.embedded.supervisor import CHECKS, RunningService, Supervisor, supervised


class Service:
    """Starts real processes; `fail` makes the next starts fail."""

    def __init__(self, folder: Path, *argv: str) -> None:
        self.folder = folder
        self.argv = argv or ("sleep", "60")
        self.started: list[Child] = []
        self.starts: asyncio.Queue[Child] = asyncio.Queue()
        self.fail = 0
        self.answers: Callable[[], Awaitable[bool]] | None = None

    async def __call__(self) -> RunningService:
        if self.fail:
            self.fail -= 1
            raise CannotStart("no luck")
        child = await Child.spawn(Command(self.argv, self.folder / "log", dict(os.environ), self.folder))
        self.started.append(child)
        self.starts.put_nowait(child)
        return RunningService(child, self.ready, child.stop, self.answers)

    async def ready(self) -> None:
        await asyncio.sleep(0)

    async def next_start(self) -> Child:
        async with asyncio.timeout(60):
            return await self.starts.get()


async def started(supervisor: Supervisor) -> None:
    await supervisor.wait_ready()
    supervisor.enable_restarts()


def test_a_service_that_dies_is_started_again_and_stopped_at_the_end(tmp_path: Path) -> None:
    said: list[str] = []
    service = Service(tmp_path)

    async def scenario() -> None:
        async with supervised("service", service, said.append) as supervisor:
            await started(supervisor)
            for _ in range(2):
                (await service.next_start()).process.kill()
            await service.next_start()
            assert service.started[-1].process.returncode is None

    asyncio.run(scenario())
    assert [child.process.returncode for child in service.started] == [
        -signal.SIGKILL,
        -signal.SIGKILL,
        -signal.SIGTERM,
    ]
    assert said[0] == "service was killed by SIGKILL; it is started again"  # the first time at once
    assert "service is back" in said
    assert "service was killed by SIGKILL; it is started again in 0.5 s" in said


def test_a_service_that_cannot_be_started_again_is_tried_until_it_can(tmp_path: Path) -> None:
    said: list[str] = []
    service = Service(tmp_path)

    async def scenario() -> None:
        async with supervised("service", service, said.append) as supervisor:
            await started(supervisor)
            service.fail = 2
            (await service.next_start()).process.kill()
            await service.next_start()

    asyncio.run(scenario())
    assert "service could not be started: no luck; it is started again in 0.5 s" in said


def test_the_end_of_a_service_while_the_stack_starts_is_an_error(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with supervised("service", Service(tmp_path, "false"), lambda _: None) as supervisor:
            await supervisor.wait_ready()
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(scenario())
    assert raised.group_contains(CannotStart, match="service ended with status 1 while Lectern started")


def test_a_service_may_crash_as_often_as_its_start_allows(tmp_path: Path) -> None:
    service = Service(tmp_path)

    async def scenario() -> None:
        async with supervised("service", service, lambda _: None, crashes=1) as supervisor:
            await supervisor.wait_ready()
            for _ in range(2):
                (await service.next_start()).process.kill()
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(scenario())
    assert raised.group_contains(CannotStart, match="service was killed by SIGKILL while Lectern started")
    assert len(service.started) == 2


def test_services_stop_in_the_reverse_of_their_order(tmp_path: Path) -> None:
    first, second = Service(tmp_path), Service(tmp_path)
    ended: list[str] = []

    async def end_of(name: str, service: Service) -> None:
        await service.started[0].wait()
        ended.append(name)

    async def scenario() -> None:
        async with (
            asyncio.TaskGroup() as watching,
            supervised("first", first, ended.append) as one,
            supervised("second", second, ended.append) as two,
        ):
            await started(one)
            await started(two)
            watching.create_task(end_of("first", first))
            watching.create_task(end_of("second", second))
            await asyncio.sleep(0)

    asyncio.run(scenario())
    assert ended == ["second", "first"]


def test_a_service_that_no_longer_answers_is_killed_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHECK_PAUSE", 0.01)
    said: list[str] = []
    service = Service(tmp_path)
    asked: list[int] = []

    async def answers() -> bool:
        """The second process answers, the first only now and then."""
        asked.append(len(service.started))
        return len(service.started) > 1 or len(asked) in (1, 3, 4)

    service.answers = answers

    async def scenario() -> None:
        async with supervised("service", service, said.append) as supervisor:
            await started(supervisor)
            first, second = await service.next_start(), await service.next_start()
            async with asyncio.timeout(60):
                while asked.count(2) < CHECKS + 1:  # noqa: ASYNC110 - of the supervisor
                    await asyncio.sleep(0.01)
            assert first.process.returncode == -signal.SIGKILL
            assert second.process.returncode is None

    asyncio.run(scenario())
    assert asked.count(1) == 4 + CHECKS, "one silence is no reason"
    assert said[0] == "service did not answer any more and was killed; it is started again"
