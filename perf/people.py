"""Accounts to measure with: the embedded stack has one, and the listeners of one account are taken for one person."""

from lectern import local_stack
from orchestrator.accounts import keys
from orchestrator.accounts.tables import Account, ApiKey
from orchestrator.embedded.home import Home
from orchestrator.embedded.postgres import Postgres
from orchestrator.lib import database
from orchestrator.lib.environment import Secret
from orchestrator.settings import DatabaseSettings

_PORT_LINE = 3  # of the file that Postgres keeps while it runs


async def keys_of_people(count: int) -> list[str]:
    """A key for each of so many accounts, which stay in the database of the stack in LECTERN_HOME."""
    home = Home(local_stack.home())
    postgres = Postgres.at(home)
    postgres.port = int((home.postgres / "postmaster.pid").read_text().splitlines()[_PORT_LINE])
    made = []
    async with database.pool(DatabaseSettings(url=Secret(postgres.url))):
        for number in range(count):
            name = f"perf {number}"
            await Account.insert(Account(name=name)).on_conflict(target=Account.name, action="DO NOTHING")
            (account,) = await Account.select(Account.id).where(Account.name == name)
            made.append(keys.new_key())
            await ApiKey(account=account["id"], name="perf", digest=keys.digest(made[-1])).save()
    return made
