"""Client for Lectern, which reads documents aloud: `Client` and `AsyncClient` for REST, `lectern.triton` for Triton."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lectern.errors import (
        ApiError,
        AuthenticationError,
        ConnectionLostError,
        DocumentFailedError,
        LecternError,
        NotFoundError,
        UnreachableError,
    )
    from lectern.rest.aio import AsyncClient
    from lectern.rest.sync import Client
    from lectern.types import Block, Document, Model, Status, Voice

__all__ = [
    "ApiError",
    "AsyncClient",
    "AuthenticationError",
    "Block",
    "Client",
    "ConnectionLostError",
    "Document",
    "DocumentFailedError",
    "LecternError",
    "Model",
    "NotFoundError",
    "Status",
    "UnreachableError",
    "Voice",
]

try:
    __version__ = version("lectern")
except PackageNotFoundError:  # run from a checkout that was not installed
    __version__ = "0"

# Names are fetched when they are used: models in Triton import `lectern.contract` where there is no HTTP library.
_HOMES = {
    "AsyncClient": "lectern.rest.aio",
    "Client": "lectern.rest.sync",
    **dict.fromkeys(("Block", "Document", "Model", "Status", "Voice"), "lectern.types"),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "lectern.errors")), name)
