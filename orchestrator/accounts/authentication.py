"""Authenticates requests by their API key. Routes marked ``public`` are open to all."""

import time
from typing import Any, Final
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
from litestar.openapi.spec import SecurityRequirement
from litestar.types import ASGIApp

from orchestrator.accounts.service import account_of, digest
from orchestrator.lib.errors.problems import Unauthenticated

PUBLIC = {"public": True}  # a route's opt
NO_KEY: Final[list[SecurityRequirement]] = [{}]  # the same, for the API's description
_KEY_SECONDS: Final = 5.0  # for which a key stays cached, also one that is revoked meanwhile
_MAX_CACHED_KEYS: Final = 10_000  # beyond that, the cache is emptied
KEY_PROTOCOL = "lectern.key."  # browsers let a page set no header of a WebSocket, only the subprotocols it offers


class KeyCache:
    """Caches the accounts of keys for some seconds, so that not every request asks the database."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._accounts: dict[bytes, tuple[UUID, float]] = {}

    async def account_of(self, key: str) -> UUID:
        """Raises `Unauthenticated`. Unknown keys are not cached: a new key works at once."""
        key_digest = digest(key)
        account, expires_at = self._accounts.get(key_digest, (None, 0.0))
        if account is None or time.monotonic() >= expires_at:
            account = await account_of(key_digest)
            if len(self._accounts) >= _MAX_CACHED_KEYS:
                self._accounts.clear()
            self._accounts[key_digest] = account, time.monotonic() + self._seconds
        return account


class KeyAuthentication(AbstractAuthenticationMiddleware):
    def __init__(self, app: ASGIApp, keys: KeyCache) -> None:
        super().__init__(app, exclude_from_auth_key="public")
        self._keys = keys

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        """Makes the account's id the request's user. Raises `Unauthenticated`."""
        key = _offered_key(connection)
        if not key:
            raise Unauthenticated
        return AuthenticationResult(user=await self._keys.account_of(key), auth=None)


def _offered_key(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    offered = connection.scope["subprotocols"] if connection.scope["type"] == ScopeType.WEBSOCKET else []
    return next((one.removeprefix(KEY_PROTOCOL) for one in offered if one.startswith(KEY_PROTOCOL)), "")


def key_authentication() -> DefineMiddleware:
    """Returns the middleware, with one key cache for all routes."""
    return DefineMiddleware(KeyAuthentication, keys=KeyCache(_KEY_SECONDS))
