"""An embedded Postgres: a child process on a loopback port, so that its end is noticed."""

import asyncio
import signal
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import asyncpg

from orchestrator.embedded import CannotStart
from orchestrator.embedded.child_process import Child, Command
from orchestrator.embedded.home import Home
from orchestrator.embedded.ports import LOOPBACK, free_port
from orchestrator.embedded.postgres_binaries import find_binaries, reachable_binaries
from orchestrator.embedded.postgres_data import SUPERUSER, DataDirectory, environment
from orchestrator.embedded.service_user import service_user

DATABASE = "lectern"
READY_TIMEOUT = 120.0  # seconds; after a crash, Postgres replays its log first
STOP_GRACE = 15.0


@dataclass(slots=True)
class Postgres:
    """One server. After it has ended, it can be started again with the same port and data."""

    data: DataDirectory
    log: Path
    copies: Path
    """The folder for a copy of the programs, if their user cannot reach the installed ones."""
    port: int = field(default_factory=free_port)

    @classmethod
    def at(cls, home: Home) -> "Postgres":
        """Returns the server of this home. Raises CannotStart if there is no account to run it as."""
        data = DataDirectory(home.postgres, home.postgres_password, service_user())
        return cls(data, home.log("postgres"), home.path)

    @property
    def url(self) -> str:
        """Has the password: not for a log."""
        return self._url(DATABASE)

    async def start(self) -> Child:
        """Starts the server, with new data if there is none; `wait_ready` says when it answers. Raises CannotStart."""
        binaries = await asyncio.to_thread(reachable_binaries, find_binaries(), self.data.user, self.copies)
        if not self.data.exists:
            await self.data.make(binaries, self.log)
        self.data.check()
        argv = [str(binaries.postgres), "-D", str(self.data.path), *_options(self.port)]
        return await Child.spawn(
            # SIGINT is Postgres's fast shutdown: it ends connections and writes what was committed.
            Command(
                argv,
                self.log,
                environment(),
                self.data.path.parent,
                self.data.user,
                signal.SIGINT,
                STOP_GRACE,
                signal.SIGINT,
            )
        )

    async def wait_ready(self, child: Child, limit: float = READY_TIMEOUT) -> None:
        """Returns once a query succeeds, and the database exists. Raises CannotStart."""
        try:
            async with asyncio.timeout(limit):
                while not await self._answers():
                    if child.process.returncode is not None:
                        raise CannotStart(f"Postgres ended: {child.tail('FATAL')} (see {self.log})")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise CannotStart(f"Postgres did not answer within {limit:.0f} s: see {self.log}") from None
        except asyncpg.PostgresError as error:
            raise CannotStart(f"Postgres answers, but not to us: {error} (see {self.log})") from None

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self._url("postgres"), timeout=5)
            try:
                if await connection.fetchval("show data_directory") != str(self.data.path):
                    return False  # another server has the port: ours will end with that reason
                if not await connection.fetchval("select true from pg_database where datname = $1", DATABASE):
                    await connection.execute(f"create database {DATABASE}")
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.InternalClientError):
            return False  # not up yet, or just gone, which asyncpg may report as an internal error
        return True

    def _url(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}:{quote(self.data.password(), safe='')}@{LOOPBACK}:{self.port}/{database}"


def _options(port: int) -> list[str]:
    settings = {
        "listen_addresses": LOOPBACK,
        "port": port,
        "unix_socket_directories": "",  # a path may be 107 bytes long at most, and that of a home may be longer
        "dynamic_shared_memory_type": "mmap",  # a killed server leaves nothing outside its data
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    return [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
