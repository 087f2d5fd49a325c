import asyncio
import os
import signal
from pathlib import Path

import pytest

from orchestrator.embedded.child_process import Child, Command
from orchestrator.embedded.errors import CannotStart
from orchestrator.embedded.supervisor import Started, Supervisor, supervised


class Part:
    """Starts real processes; `fail` makes the next starts fail."""

    def __init__(self, folder: Path, *argv: str) -> None:
        self.folder = folder
        self.argv = argv or ("sleep", "60")
        self.started: list[Child] = []
        self.starts: asyncio.Queue[Child] = asyncio.Queue()
        self.fail = 0

    async def __call__(self) -> Started:
        if self.fail:
            self.fail -= 1
            raise CannotStart("no luck")
        child = await Child.spawn(Command(self.argv, self.folder / "log", dict(os.environ), self.folder))
        self.started.append(child)
        self.starts.put_nowait(child)
        return Started(child, self.ready, child.stop)

    async def ready(self) -> None:
        await asyncio.sleep(0)

    async def next_start(self) -> Child:
        async with asyncio.timeout(60):
            return await self.starts.get()


async def settled(supervisor: Supervisor) -> None:
    await supervisor.ready()
    supervisor.settle()


def test_a_part_that_dies_is_started_again_and_stopped_at_the_end(tmp_path: Path) -> None:
    said: list[str] = []
    part = Part(tmp_path)

    async def scenario() -> None:
        async with supervised("part", part, said.append) as supervisor:
            await settled(supervisor)
            for _ in range(2):
                (await part.next_start()).process.kill()
            await part.next_start()
            assert part.started[-1].process.returncode is None

    asyncio.run(scenario())
    assert [child.process.returncode for child in part.started] == [-signal.SIGKILL, -signal.SIGKILL, -signal.SIGTERM]
    assert said[0] == "part was killed by SIGKILL; it is started again"  # the first time at once
    assert "part is back" in said
    assert "part was killed by SIGKILL; it is started again in 0.5 s" in said


def test_a_part_that_cannot_be_started_again_is_tried_until_it_can(tmp_path: Path) -> None:
    said: list[str] = []
    part = Part(tmp_path)

    async def scenario() -> None:
        async with supervised("part", part, said.append) as supervisor:
            await settled(supervisor)
            part.fail = 2
            (await part.next_start()).process.kill()
            await part.next_start()

    asyncio.run(scenario())
    assert "part could not be started: no luck; it is started again in 0.5 s" in said


def test_the_end_of_a_part_while_all_starts_is_an_error(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with supervised("part", Part(tmp_path, "false"), lambda _: None) as supervisor:
            await supervisor.ready()
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(scenario())
    assert raised.group_contains(CannotStart, match="part ended with status 1 while Lectern started")


def test_parts_stop_in_the_reverse_of_their_order(tmp_path: Path) -> None:
    first, second = Part(tmp_path), Part(tmp_path)
    ended: list[str] = []

    async def end_of(name: str, part: Part) -> None:
        await part.started[0].wait()
        ended.append(name)

    async def scenario() -> None:
        async with (
            asyncio.TaskGroup() as watching,
            supervised("first", first, ended.append) as one,
            supervised("second", second, ended.append) as two,
        ):
            await settled(one)
            await settled(two)
            watching.create_task(end_of("first", first))
            watching.create_task(end_of("second", second))
            await asyncio.sleep(0)

    asyncio.run(scenario())
    assert ended == ["second", "first"]
