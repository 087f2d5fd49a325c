"""Who is asking. Today there is one local account; more come with billing."""

from uuid import UUID

from orchestrator.accounts import keys
from orchestrator.accounts.tables import Account, ApiKey
from orchestrator.lib.database import DB
from orchestrator.lib.errors.problems import Unauthenticated

LOCAL = "local"


async def account_of(digest: bytes) -> UUID:
    """The account that the key with this digest belongs to. Raises `Unauthenticated`."""
    found = await ApiKey.select(ApiKey.account).where(ApiKey.digest == digest, ApiKey.revoked_at.is_null()).first()
    if found is None:
        raise Unauthenticated("This API key is not known here. Send a valid one as 'Authorization: Bearer KEY'.")
    account: UUID = found["account"]
    return account


async def ensure_local_account() -> str | None:
    """Makes the local account at the first start and returns its key, which is not shown again; else None."""
    key = None
    async with DB.transaction():
        made = (
            await Account.insert(Account(name=LOCAL))
            .on_conflict(target=Account.name, action="DO NOTHING")
            .returning(Account.id)
        )
        if made:
            key = await _add_key(made[0]["id"], "first start")
    return key


async def add_local_key(name: str) -> str:
    """A further key for the local account, shown once."""
    account = await Account.select(Account.id).where(Account.name == LOCAL).first()
    if account is None:
        raise LookupError("There is no local account yet: run 'python -m orchestrator setup' first.")
    return await _add_key(account["id"], name)


async def _add_key(account: UUID, name: str) -> str:
    key = keys.new_key()
    await ApiKey(account=account, name=name, digest=keys.digest(key)).save()
    return key
