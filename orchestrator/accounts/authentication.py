"""Reads the API key of a request. Routes marked ``public`` are open to all."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult, DefineMiddleware
from litestar.types import ASGIApp

from orchestrator.accounts.key_memory import KeyMemory
from orchestrator.lib.errors import Unauthenticated
from orchestrator.settings import AccountSettings

PUBLIC = {"public": True}  # a route's opt


class KeyAuthentication(AbstractAuthenticationMiddleware):
    def __init__(self, app: ASGIApp, memory: KeyMemory) -> None:
        super().__init__(app, exclude_from_auth_key="public")
        self._memory = memory

    async def authenticate_request(self, connection: ASGIConnection[Any, Any, Any, Any]) -> AuthenticationResult:
        """Raises `Unauthenticated`; else the account's id becomes the request's user."""
        scheme, _, key = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            raise Unauthenticated
        return AuthenticationResult(user=await self._memory.account_of(key.strip()), auth=None)


def key_authentication(settings: AccountSettings) -> DefineMiddleware:
    """One memory for all routes."""
    return DefineMiddleware(KeyAuthentication, memory=KeyMemory(settings.key_memory_seconds))
