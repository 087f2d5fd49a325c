"""Accounts and their API keys. There is one local account so far."""

import hashlib
import secrets
from typing import Final
from uuid import UUID

from orchestrator.accounts.tables import Account, ApiKey
from orchestrator.lib.database import DB
from orchestrator.lib.errors.problems import Unauthenticated

LOCAL: Final = "local"
KEY_PREFIX: Final = "lectern_"  # lets secret scanners and people recognise a key


def new_key() -> str:
    """Returns a key with 256 random bits, so many that a digest without salt or slow hash keeps it safe."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


async def account_of(key_digest: bytes) -> UUID:
    """Returns the account of the key with this digest. Raises `Unauthenticated`."""
    query = ApiKey.select(ApiKey.account).where(ApiKey.digest == key_digest, ApiKey.revoked_at.is_null())
    found = await query.first()
    if found is None:
        raise Unauthenticated("This API key is not known here. Send a valid one as 'Authorization: Bearer KEY'.")
    account: UUID = found["account"]
    return account


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
