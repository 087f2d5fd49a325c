"""Authenticates requests by their API key. Routes marked ``public`` are open to all."""

import time
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
from litestar.openapi.spec import SecurityRequirement
from litestar.types import ASGIApp

from orchestrator.accounts.requester import Requester
from orchestrator.accounts.service import digest, requester_of
from orchestrator.lib.database import is_outage
from orchestrator.lib.errors.problems import Unauthenticated

PUBLIC = {"public": True}  # a route's opt
NO_KEY: Final[list[SecurityRequirement]] = [{}]  # the same, for the API's description
_KEY_SECONDS: Final = 5.0  # for which a key stays cached, also one that is revoked meanwhile
_OUTAGE_SECONDS: Final = 600.0  # the same, while the database is away
_MAX_CACHED_KEYS: Final = 10_000  # beyond that, the cache is emptied
KEY_PROTOCOL = "lectern.key."  # browsers let a page set no header of a WebSocket, only the subprotocols it offers


class KeyCache:
    """Caches the requesters of keys for some seconds, so that not every request asks the database.

    While the database is away, a key that was valid a while ago still is: speech goes on.
    """

    def __init__(self, seconds: float, *, outage_seconds: float = _OUTAGE_SECONDS) -> None:
        self._seconds = seconds
        self._outage_seconds = outage_seconds
        self._requesters: dict[bytes, tuple[Requester, float]] = {}  # with the time at which the database said so

    async def requester_of(self, key: str) -> Requester:
        """Raises `Unauthenticated`. Unknown keys are not cached: a new key works at once."""
        key_digest = digest(key)
        requester, known_at = self._requesters.get(key_digest, (None, 0.0))
        age = time.monotonic() - known_at
        if requester is not None and age < self._seconds:
            return requester
        try:
            found = await requester_of(key_digest)
        except Unauthenticated:
            self._requesters.pop(key_digest, None)
            raise
        except Exception as error:
            if requester is None or age >= self._outage_seconds or not is_outage(error):
                raise
            return requester
        if len(self._requesters) >= _MAX_CACHED_KEYS:
            self._requesters.clear()
        self._requesters[key_digest] = found, time.monotonic()
        return found


class KeyAuthentication(AbstractAuthenticationMiddleware):
    def __init__(self, app: ASGIApp, keys: KeyCache) -> None:
        super().__init__(app, exclude_from_auth_key="public")
        self._keys = keys

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        """Makes the `Requester` the request's user. Raises `Unauthenticated`."""
        key = _offered_key(connection)
        if not key:
            raise Unauthenticated
        return AuthenticationResult(user=await self._keys.requester_of(key), auth=None)


def _offered_key(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    offered = connection.scope["subprotocols"] if connection.scope["type"] == ScopeType.WEBSOCKET else []
    return next((one.removeprefix(KEY_PROTOCOL) for one in offered if one.startswith(KEY_PROTOCOL)), "")


def key_authentication() -> DefineMiddleware:
    """Returns the middleware, with one key cache for all routes."""
    return DefineMiddleware(KeyAuthentication, keys=KeyCache(_KEY_SECONDS))
