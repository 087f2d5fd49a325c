"""Client for Lectern, which reads documents aloud: `Client` and `AsyncClient` for REST, `lectern.triton` for Triton."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lectern.errors import (
        ApiError,
        AuthenticationError,
        BusyError,
        ConnectionLostError,
        DocumentFailedError,
        LecternError,
        NotFoundError,
        SpeechFailedError,
        UnreachableError,
    )
    from lectern.rest.aio import AsyncClient
    from lectern.rest.sync import Client
    from lectern.types import (
        AudioDelta,
        Block,
        Document,
        Done,
        Model,
        OwnVoice,
        SpeechEvent,
        Status,
        Timing,
        Usage,
        Voice,
        VoiceConsent,
        VoicePrompt,
        Word,
        Words,
    )
    from lectern.voicing import Mix, Normalization, Turn, Voicing

__all__ = [
    "ApiError",
    "AsyncClient",
    "AudioDelta",
    "AuthenticationError",
    "Block",
    "BusyError",
    "Client",
    "ConnectionLostError",
    "Document",
    "DocumentFailedError",
    "Done",
    "LecternError",
    "Mix",
    "Model",
    "Normalization",
    "NotFoundError",
    "OwnVoice",
    "SpeechEvent",
    "SpeechFailedError",
    "Status",
    "Timing",
    "Turn",
    "UnreachableError",
    "Usage",
    "Voice",
    "VoiceConsent",
    "VoicePrompt",
    "Voicing",
    "Word",
    "Words",
]

try:
    __version__ = version("lectern")
except PackageNotFoundError:  # run from a checkout that was not installed
    __version__ = "0"

# Names are fetched when they are used: models in Triton import `lectern.contract` where there is no HTTP library.
_HOMES = {
    "AsyncClient": "lectern.rest.aio",
    "Client": "lectern.rest.sync",
    **dict.fromkeys(
        (
            *("AudioDelta", "Block", "Document", "Done", "Model", "OwnVoice", "SpeechEvent"),
            *("Status", "Timing", "Usage", "Voice", "VoiceConsent", "VoicePrompt", "Word", "Words"),
        ),
        "lectern.types",
    ),
    **dict.fromkeys(("Mix", "Normalization", "Turn", "Voicing"), "lectern.voicing"),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "lectern.errors")), name)
