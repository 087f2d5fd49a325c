"""The running stack that is measured: its addresses, its key, its processes, and accounts to measure with."""

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from lectern import local_stack
from orchestrator.accounts import service as accounts
from orchestrator.accounts.tables import Account, ApiKey
from orchestrator.embedded.home import Home
from orchestrator.embedded.postgres import Postgres
from orchestrator.lib import database
from orchestrator.lib.environment import Secret
from orchestrator.lib.settings import DatabaseSettings
from perf.http_client import Connection
from perf.machine import cpu_seconds, pid_listening_on

_PORT_LINE = 3  # of the file that Postgres keeps while it runs


@dataclass(frozen=True)
class Stack:
    address: str  # host:port of the REST API
    key: str
    triton: str  # address of Triton's gRPC
    processes: dict[str, int]  # what is measured, by name

    def connection(self) -> Connection:
        return Connection(self.address, {"authorization": f"Bearer {self.key}"})

    def cpu(self) -> dict[str, float]:
        """Returns the seconds of processor time that each process, with its children, has taken so far."""
        return {name: cpu_seconds(pid) for name, pid in self.processes.items()}


def find_stack(url: str | None, key: str | None, triton: str | None) -> Stack:
    """Reads what is not given from LECTERN_HOME. Raises LookupError if it is not there either."""
    file = local_stack.home() / local_stack.STACK_FILE
    record = json.loads(file.read_text()) if file.exists() else {}
    url = url or record.get("url")
    key = key or local_stack.api_key()
    triton = triton or record.get("triton_url")
    if not url or not key or not triton:
        raise LookupError(
            f"There is no running stack in {local_stack.home()}: start one, or give --url, --key and --triton."
        )
    address = urlsplit(url).netloc
    processes = {"orchestrator": pid_listening_on(address), "triton": pid_listening_on(triton)}
    postmaster = local_stack.home() / "postgres" / "postmaster.pid"
    if url == record.get("url") and postmaster.exists():
        processes["postgres"] = int(postmaster.read_text().split()[0])
    return Stack(address, key, triton, processes)


async def keys_of_new_accounts(count: int) -> list[str]:
    """Makes accounts, which stay in the database of the stack in LECTERN_HOME, and returns a key of each.

    The embedded stack has one account only, whose requests are all taken for one person's.
    """
    home = Home(local_stack.home())
    postgres = Postgres.at(home)
    postgres.port = int((home.postgres / "postmaster.pid").read_text().splitlines()[_PORT_LINE])
    made = []
    async with database.pool(DatabaseSettings(url=Secret(postgres.url))):
        for number in range(count):
            name = f"perf {number}"
            await Account.insert(Account(name=name)).on_conflict(target=Account.name, action="DO NOTHING")
            (account,) = await Account.select(Account.id).where(Account.name == name)
            made.append(accounts.new_key())
            await ApiKey(account=account["id"], name="perf", digest=accounts.digest(made[-1])).save()
    return made
