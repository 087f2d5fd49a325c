"""The queue of jobs, on a real Postgres and with real workers: enqueued, run, retried, cancelled, taken over."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from orchestrator.accounts.requester import Requester
from orchestrator.accounts.service import requester_for
from orchestrator.accounts.tables import Account
from orchestrator.embedded.home import Home
from orchestrator.embedded.postgres import Postgres
from orchestrator.jobs import queue, service
from orchestrator.jobs.dead_letters import delete_old, list_all
from orchestrator.jobs.schemas import JobView
from orchestrator.lib import database
from orchestrator.lib.database import DB, run
from orchestrator.lib.environment import Secret
from orchestrator.lib.errors.problems import Conflict, NotFound
from orchestrator.lib.settings import DatabaseSettings
from orchestrator.migrations.run import migrate
from tests.integration import job_worker as kinds
from tests.stack import ROOT

pytestmark = pytest.mark.anyio
LIMIT = 60.0  # seconds, against a hang only
TAKEOVER = 15.0  # seconds in which the jobs of a dead worker are to run again


@pytest.fixture(scope="module")
def template() -> Iterator[str]:
    """The address of a migrated database, of which each test has a copy."""
    with tempfile.TemporaryDirectory(prefix="lectern-test-") as folder:
        Path(folder).chmod(0o711)  # root hands Postgres to a user who has to pass through
        home = Home(Path(folder) / "home")
        home.prepare()
        postgres = Postgres.at(home)
        with asyncio.Runner() as loop:
            child = loop.run(postgres.start())
            try:
                loop.run(postgres.wait_ready(child))
                loop.run(migrate(DatabaseSettings(url=Secret(postgres.url))))
                yield postgres.url
            finally:
                loop.run(child.stop())


@pytest.fixture
async def url(template: str) -> AsyncIterator[str]:
    name = f"test_{uuid4().hex}"
    server, _, migrated = template.rpartition("/")
    await execute(f"{server}/postgres", f"CREATE DATABASE {name} TEMPLATE {migrated}")
    async with database.pool(DatabaseSettings(url=Secret(f"{server}/{name}"))):
        yield f"{server}/{name}"
    await execute(f"{server}/postgres", f"DROP DATABASE {name} WITH (FORCE)")


async def execute(address: str, statement: str) -> None:
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
async def requester(url: str) -> Requester:  # noqa: ARG001 - in that database
    made = Account(name="reader")
    await made.save()
    return await requester_for(made.id)


@contextmanager
def worker(url: str, folder: Path, pace: str = "hasty") -> Iterator["subprocess.Popen[bytes]"]:
    with (folder / "worker.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.job_worker", str(folder), pace],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url},
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        finally:
            process.kill()


def noted(folder: Path, kind: str) -> list[str]:
    """What the runs of a kind have left, without the process."""
    file = folder / f"{kind}.log"
    return [line.partition(" ")[2] for line in file.read_text().splitlines()] if file.exists() else []


async def until(good: Callable[[], Awaitable[bool]], limit: float = LIMIT) -> None:
    end = time.monotonic() + limit
    while not await good():
        assert time.monotonic() < end, "it never came to that"
        await asyncio.sleep(0.02)


async def until_state(requester: Requester, job: UUID, *states: str) -> JobView:
    async def there() -> bool:
        return (await service.get(requester, job)).state in states

    await until(there)
    return await service.get(requester, job)


async def enqueued(kind: queue.Kind, requester: Requester, **options: Any) -> UUID:
    job = await queue.enqueue(kind, requester.account, resource="/api/v1/things/1", **options)
    assert job is not None
    return job


async def queued_in_procrastinate() -> list[dict[str, Any]]:
    return await run("SELECT * FROM procrastinate_jobs WHERE task_name <> 'tick' ORDER BY id")


async def test_a_job_exists_if_and_only_if_its_transaction_commits(requester: Requester) -> None:
    async def roll_back() -> None:
        async with DB.transaction():
            await enqueued(kinds.COUNT, requester, steps=1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await roll_back()
    assert (await service.list_page(requester, state=None, limit=9, after=None)).items == []
    assert await queued_in_procrastinate() == []

    async with DB.transaction():
        job = await enqueued(kinds.COUNT, requester, steps=1)
    assert [one.id for one in (await service.list_page(requester, state="queued", limit=9, after=None)).items] == [job]
    (row,) = await queued_in_procrastinate()
    assert (row["status"], msgspec.json.decode(row["args"])) == ("todo", {"job": str(job), "steps": 1})


async def test_priority_lock_and_time_reach_the_queue(requester: Requester) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    await enqueued(queue.Kind("urgent", queue="speech", priority=7), requester, lock="one by one", schedule_at=later)
    (row,) = await queued_in_procrastinate()
    assert (row["queue_name"], row["priority"], row["lock"], row["scheduled_at"]) == ("speech", 7, "one by one", later)


async def test_a_second_job_of_a_queueing_lock_is_told_and_the_transaction_goes_on(requester: Requester) -> None:
    await enqueued(kinds.COUNT, requester, queueing_lock="once", steps=1)
    async with DB.transaction():
        second = await queue.enqueue(kinds.COUNT, requester.account, resource="/", queueing_lock="once", steps=1)
        await enqueued(kinds.COUNT, requester, steps=2)
    assert second is None
    assert len(await queued_in_procrastinate()) == 2


async def test_a_job_runs_and_tells_its_progress(url: str, requester: Requester, tmp_path: Path) -> None:
    with worker(url, tmp_path):
        job = await enqueued(kinds.HOLD, requester)

        async def tells() -> bool:
            return (await service.get(requester, job)).progress.message == "Holding"

        await until(tells)
        view = await service.get(requester, job)
        assert (view.state, view.progress.done, view.progress.total) == ("running", 1, 3)
        assert view.started_at is not None
        assert view.finished_at is None
        (tmp_path / "release").touch()
        done = await until_state(requester, job, "succeeded")
    assert done.finished_at is not None
    assert done.version > view.version
    assert await queued_in_procrastinate() == []


async def test_progress_is_written_seldom_and_its_end_is_kept(url: str, requester: Requester, tmp_path: Path) -> None:
    with worker(url, tmp_path):
        job = await enqueued(kinds.COUNT, requester, steps=300)
        view = await until_state(requester, job, "succeeded")
    assert (view.progress.done, view.progress.message) == (300, "Step 300")
    assert view.version < 100


async def test_a_queued_job_is_cancelled_at_once(url: str, requester: Requester, tmp_path: Path) -> None:
    job, other = await enqueued(kinds.HOLD, requester), await enqueued(kinds.COUNT, requester, steps=1)
    assert (await service.cancel(requester, job)).state == "cancelled"
    assert (await service.cancel(requester, job)).state == "cancelled"
    with worker(url, tmp_path):
        await until_state(requester, other, "succeeded")
    assert noted(tmp_path, "hold") == []


async def test_a_running_job_is_cancelled_by_another_process_and_cleans_up(
    url: str, requester: Requester, tmp_path: Path
) -> None:
    with worker(url, tmp_path):
        job = await enqueued(kinds.HOLD, requester)
        await until_state(requester, job, "running")
        await until(lambda: begun(tmp_path, "hold", 1))
        await service.cancel(requester, job)
        view = await until_state(requester, job, "cancelled")
        assert view.finished_at is not None
        assert noted(tmp_path, "hold") == ["begun", "cleaned up"]
        other = await enqueued(kinds.COUNT, requester, steps=1)
        await until_state(requester, other, "succeeded")


async def begun(folder: Path, kind: str, times: int) -> bool:
    return len(noted(folder, kind)) >= times


async def test_what_has_ended_cannot_be_cancelled(url: str, requester: Requester, tmp_path: Path) -> None:
    with worker(url, tmp_path):
        job = await enqueued(kinds.COUNT, requester, steps=1)
        await until_state(requester, job, "succeeded")
    with pytest.raises(Conflict, match="succeeded already"):
        await service.cancel(requester, job)


async def test_a_job_is_its_accounts_alone(requester: Requester) -> None:
    other = Account(name="somebody else")
    await other.save()
    stranger = await requester_for(other.id)
    job = await enqueued(kinds.COUNT, requester, steps=1)
    for forbidden in (service.get(stranger, job), service.cancel(stranger, job)):
        with pytest.raises(NotFound):
            await forbidden
    assert (await service.list_page(stranger, state=None, limit=9, after=None)).items == []
    assert (await service.get(requester, job)).state == "queued"


async def test_jobs_are_paged_newest_first(requester: Requester) -> None:
    made = [await enqueued(kinds.COUNT, requester, steps=1) for _ in range(5)]
    first = await service.list_page(requester, state=None, limit=3, after=None)
    second = await service.list_page(requester, state=None, limit=3, after=first.next)
    assert [one.id for one in first.items + second.items] == made[::-1]
    assert second.next is None


async def test_a_killed_workers_job_is_taken_over_by_another(url: str, requester: Requester, tmp_path: Path) -> None:
    with worker(url, tmp_path, "real") as doomed:
        job = await enqueued(kinds.HOLD, requester)
        await until(lambda: begun(tmp_path, "hold", 1))
        with worker(url, tmp_path, "real") as other:
            await until(lambda: begun(tmp_path, "tick", 1))  # some worker is up; this one is by the next line
            await until(lambda: registered(2))
            doomed.send_signal(signal.SIGKILL)
            killed = time.monotonic()
            await until(lambda: begun(tmp_path, "hold", 2))
            assert time.monotonic() - killed < TAKEOVER
            (tmp_path / "release").touch()
            await until_state(requester, job, "succeeded")
            assert other.poll() is None
    assert noted(tmp_path, "hold") == ["begun", "begun", "done"]


async def test_a_job_that_waits_again_gives_way_to_a_later_one_of_its_queueing_lock(
    url: str, requester: Requester, tmp_path: Path
) -> None:
    with worker(url, tmp_path):
        first = await enqueued(kinds.HOLD, requester, queueing_lock="one", lock="one")
        await until(lambda: begun(tmp_path, "hold", 1))
        second = await enqueued(kinds.HOLD, requester, queueing_lock="one", lock="one")
    view = await service.get(requester, first)
    assert (view.state, view.progress.message) == ("cancelled", "A later job does the same.")
    (tmp_path / "release").touch()
    with worker(url, tmp_path):
        await until_state(requester, second, "succeeded")


async def registered(workers: int) -> bool:
    """Each process registers one for each of its three queues."""
    (row,) = await run("SELECT count(*) AS workers FROM procrastinate_workers")
    return int(row["workers"]) >= 3 * workers


async def test_a_killed_workers_job_is_taken_over_by_itself_started_again(
    url: str, requester: Requester, tmp_path: Path
) -> None:
    with worker(url, tmp_path) as first:
        job = await enqueued(kinds.DIE_ONCE, requester)
        await asyncio.to_thread(first.wait, LIMIT)
    assert first.returncode == -signal.SIGKILL
    killed = time.monotonic()
    with worker(url, tmp_path, "real"):
        await until_state(requester, job, "succeeded")
    assert time.monotonic() - killed < TAKEOVER
    assert len(noted(tmp_path, "die_once")) == 2


async def test_a_cancelled_job_of_a_dead_worker_is_not_run_again(
    url: str, requester: Requester, tmp_path: Path
) -> None:
    with worker(url, tmp_path) as doomed:
        job = await enqueued(kinds.HOLD, requester)
        await until(lambda: begun(tmp_path, "hold", 1))
        doomed.send_signal(signal.SIGKILL)
        doomed.wait()
        await service.cancel(requester, job)
    with worker(url, tmp_path):
        await until_state(requester, job, "cancelled")
    assert noted(tmp_path, "hold") == ["begun"]
    assert await queued_in_procrastinate() == []


async def test_a_stopped_worker_gives_its_job_back_and_that_is_no_try(
    url: str, requester: Requester, tmp_path: Path
) -> None:
    with worker(url, tmp_path):
        job = await enqueued(kinds.HOLD, requester)
        await until(lambda: begun(tmp_path, "hold", 1))
    assert (await service.get(requester, job)).state == "queued"
    assert (await run("SELECT tries FROM job"))[0]["tries"] == 0
    (tmp_path / "release").touch()
    with worker(url, tmp_path):
        await until_state(requester, job, "succeeded")


async def test_a_job_that_kills_each_worker_ends_as_a_dead_letter(
    url: str, requester: Requester, tmp_path: Path
) -> None:
    job = await enqueued(kinds.DIE, requester)
    for _ in range(3):
        with worker(url, tmp_path) as victim:
            await asyncio.to_thread(victim.wait, LIMIT)
            assert victim.returncode == -signal.SIGKILL
    with worker(url, tmp_path) as survivor:
        view = await until_state(requester, job, "failed")
        assert survivor.poll() is None
    assert view.error is not None
    assert "died each time" in view.error.detail
    assert len(noted(tmp_path, "die")) == 3
    assert [letter.job for letter in await list_all()] == [job]


async def test_a_bad_input_fails_at_once_and_says_what_to_do(url: str, requester: Requester, tmp_path: Path) -> None:
    with worker(url, tmp_path):
        job = await enqueued(kinds.REFUSE, requester)
        view = await until_state(requester, job, "failed")
    assert view.error is not None
    assert (view.error.status, view.error.detail) == (400, "'text' has no words. Send some.")
    assert noted(tmp_path, "refuse") == [""]
    assert await list_all() == []


async def test_an_outage_is_waited_out_with_growing_pauses(url: str, requester: Requester, tmp_path: Path) -> None:
    job = await enqueued(kinds.LOSE_STORE, requester)
    pauses = []
    with worker(url, tmp_path):
        for tries in range(1, 6):
            await until(lambda tries=tries: waits(tries))  # type: ignore[misc]
            (row,) = await run("SELECT scheduled_at - now() AS pause FROM procrastinate_jobs WHERE task_name <> 'tick'")
            pauses.append(row["pause"].total_seconds())
            view = await service.get(requester, job)
            assert (view.state, "audio store does not answer" in view.progress.message) == ("queued", True)
            await run("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE task_name <> 'tick'")
    assert all(limit / 2 < pause <= limit for pause, limit in zip(pauses, (2, 4, 8, 16, 32), strict=True)), pauses
    assert (await run("SELECT tries FROM job"))[0]["tries"] == 0
    assert await list_all() == []


async def test_a_lost_connection_is_an_outage_that_is_told_by_another_one(
    url: str, requester: Requester, tmp_path: Path
) -> None:
    job = await enqueued(kinds.LOSE_DATABASE, requester)
    with worker(url, tmp_path):
        await until(lambda: waits(1))
    view = await service.get(requester, job)
    assert (view.state, "database does not answer" in view.progress.message) == ("queued", True)
    assert (await run("SELECT tries FROM job"))[0]["tries"] == 0


async def test_a_worker_outlives_an_outage_and_runs_its_job_once(
    url: str, requester: Requester, tmp_path: Path
) -> None:
    server = f"{url.rpartition('/')[0]}/postgres"
    name = url.rpartition("/")[2]
    with worker(url, tmp_path) as process:
        job = await enqueued(kinds.HOLD, requester)
        await until(lambda: begun(tmp_path, "hold", 1))
        for _ in range(30):  # longer than a hasty worker is taken for alive
            await execute(server, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            await asyncio.sleep(0.1)
        (tmp_path / "release").touch()

        async def succeeded() -> bool:
            return (await service.get(requester, job)).state == "succeeded"

        await until(succeeded)
        other = await enqueued(kinds.COUNT, requester, steps=1)
        await until_state(requester, other, "succeeded")
        await until(nothing_left)
        assert process.poll() is None
    assert noted(tmp_path, "hold") == ["begun", "done"]


async def nothing_left() -> bool:
    return await queued_in_procrastinate() == []


async def test_a_task_goes_on_after_a_transaction_whose_connection_was_lost(url: str) -> None:
    async def lose_connection() -> None:
        async with DB.transaction():
            (row,) = await run("SELECT pg_backend_pid() AS own")
            await execute(url, f"SELECT pg_terminate_backend({row['own']}, 10000)")
            await run("SELECT 1")

    for _ in range(10):  # more than the pool has
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await lose_connection()
    async with DB.transaction():
        assert await run("SELECT 1 AS one") == [{"one": 1}]


async def waits(attempts: int) -> bool:
    rows = await queued_in_procrastinate()
    return [(row["status"], row["attempts"]) for row in rows] == [("todo", attempts)]


async def test_an_unknown_error_is_tried_a_few_times_and_then_is_a_dead_letter_that_a_command_retries(
    url: str, requester: Requester, tmp_path: Path
) -> None:
    job = await enqueued(kinds.FAIL, requester)
    with worker(url, tmp_path):
        for tries in (1, 2):
            await until(lambda tries=tries: waits(tries))  # type: ignore[misc]
            await run("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE task_name <> 'tick'")
        view = await until_state(requester, job, "failed")
        assert view.error is not None
        assert view.error.title == "Internal server error"
        assert len(noted(tmp_path, "fail")) == 3

        async def listed() -> bool:
            return bool(await list_all())

        await until(listed)
        (letter,) = msgspec.json.decode(command(url, "list"))
        assert (letter["job"], letter["kind"], letter["tries"]) == (str(job), "fail", 3)
        (tmp_path / "mended").touch()
        command(url, "retry", str(letter["number"]))
        await until_state(requester, job, "succeeded")
    assert msgspec.json.decode(command(url, "list")) == []
    assert "job failed for good" in (tmp_path / "worker.log").read_text()


def command(url: str, *arguments: str) -> bytes:
    return subprocess.run(
        [sys.executable, "-m", "orchestrator", "jobs", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


async def test_two_workers_do_periodic_work_once_and_never_at_the_same_time(url: str, tmp_path: Path) -> None:
    with worker(url, tmp_path), worker(url, tmp_path):
        await until(lambda: registered(2))
        before = len(noted(tmp_path, "tick"))
        began = time.time()
        await until(lambda: begun(tmp_path, "tick", before + 10))
        passed = time.time() - began
    lines = noted(tmp_path, "tick")
    assert lines[: len(lines) // 2 * 2] == ["begun", "ended"] * (len(lines) // 2)
    assert (len(lines) - before) / 2 <= passed + 3  # once a second, whatever the number of workers


async def test_what_ended_long_ago_is_forgotten(requester: Requester) -> None:
    old, new, waiting = [await enqueued(kinds.COUNT, requester, steps=1) for _ in range(3)]
    for job in (old, new):
        await service.cancel(requester, job)
    await run("UPDATE job SET finished_at = now() - interval '31 days' WHERE id = {}", old)
    await run("UPDATE procrastinate_events SET at = now() - interval '31 days'")
    await delete_old(30)
    left = await service.list_page(requester, state=None, limit=9, after=None)
    assert [one.id for one in left.items] == [waiting, new]
    assert [row["status"] for row in await queued_in_procrastinate()] == ["todo"]
