"""Reads the API key of a request. Routes marked ``public`` are open to all."""

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
from litestar.openapi.spec import SecurityRequirement
from litestar.types import ASGIApp

from orchestrator.accounts.key_memory import KeyMemory
from orchestrator.lib.errors.problems import Unauthenticated

PUBLIC = {"public": True}  # a route's opt
NO_KEY: Final[list[SecurityRequirement]] = [{}]  # the same, for the API's description
_KEY_SECONDS: Final = 5.0  # for which a process trusts a key it has checked, so also one that was revoked meanwhile
KEY_PROTOCOL = "lectern.key."  # browsers let a page set no header of a WebSocket, only the subprotocols it offers


class KeyAuthentication(AbstractAuthenticationMiddleware):
    def __init__(self, app: ASGIApp, memory: KeyMemory) -> None:
        super().__init__(app, exclude_from_auth_key="public")
        self._memory = memory

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        """Raises `Unauthenticated`; else the account's id becomes the request's user."""
        key = _offered_key(connection)
        if not key:
            raise Unauthenticated
        return AuthenticationResult(user=await self._memory.account_of(key), auth=None)


def _offered_key(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return key.strip()
    offered = connection.scope["subprotocols"] if connection.scope["type"] == ScopeType.WEBSOCKET else []
    return next((one.removeprefix(KEY_PROTOCOL) for one in offered if one.startswith(KEY_PROTOCOL)), "")


def key_authentication() -> DefineMiddleware:
    """One memory for all routes."""
    return DefineMiddleware(KeyAuthentication, memory=KeyMemory(_KEY_SECONDS))
