"""Client for Lectern, which reads documents aloud: `Client` and `AsyncClient` for REST, `lectern.triton` for Triton."""

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
    CustomVoice,
    Document,
    Done,
    Model,
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
from lectern.version import __version__
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
    "CustomVoice",
    "Document",
    "DocumentFailedError",
    "Done",
    "LecternError",
    "Mix",
    "Model",
    "Normalization",
    "NotFoundError",
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
    "__version__",
]
