"""Accounts and their API keys. There is one local account so far."""

import hashlib
import secrets
from typing import Final
from uuid import UUID

from orchestrator.accounts.requester import Requester
from orchestrator.accounts.tables import Account, ApiKey
from orchestrator.lib.database import DB
from orchestrator.lib.errors.problems import NotFound, Unauthenticated

LOCAL: Final = "local"
KEY_PREFIX: Final = "lectern_"  # lets secret scanners and people recognise a key


def new_key() -> str:
    """Returns a key with 256 random bits, so many that a digest without salt or slow hash keeps it safe."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


async def requester_of(key_digest: bytes) -> Requester:
    """Returns the requester with the key of this digest. Raises `Unauthenticated`."""
    query = ApiKey.select(ApiKey.id, ApiKey.account, ApiKey.account.plan.as_alias("plan"))
    found = await query.where(ApiKey.digest == key_digest, ApiKey.revoked_at.is_null()).first()
    if found is None:
        raise Unauthenticated("This API key is not known here. Send a valid one as 'Authorization: Bearer KEY'.")
    return Requester(account=found["account"], plan=found["plan"], key=found["id"])


async def requester_for(account: UUID) -> Requester:
    """Returns the requester of a job, which has no key. Raises `NotFound` if the account was deleted meanwhile."""
    found = await Account.select(Account.plan).where(Account.id == account).first()
    if found is None:
        raise NotFound("This account does not exist any more.")
    return Requester(account=account, plan=found["plan"], lane="batch")


async def ensure_local_account() -> str | None:
    """Makes the local account if there is none, and returns its key, which is not shown again; else None."""
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
    """Makes another key of the local account and returns it; it is not shown again."""
    account = await Account.select(Account.id).where(Account.name == LOCAL).first()
    if account is None:
        raise LookupError("There is no local account yet: run 'python -m orchestrator setup' first.")
    return await _add_key(account["id"], name)


async def _add_key(account: UUID, name: str) -> str:
    key = new_key()
    await ApiKey(account=account, name=name, digest=digest(key)).save()
    return key
