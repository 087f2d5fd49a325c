from typing import Final

from litestar import Router

from orchestrator.lib.errors.forms import UNREADABLE
from orchestrator.voices.controllers import VoiceController
from orchestrator.voices.openai_controllers import OpenAiVoiceController
from orchestrator.voices.settings import VoiceSettings

_FIELDS: Final = 1 << 20  # bytes that all else in the form may take


def upload_router(limits: VoiceSettings) -> Router:
    """The routes that take a recording, and so more bytes than others."""
    return Router(
        "/",
        route_handlers=[VoiceController, OpenAiVoiceController],
        request_max_body_size=limits.max_bytes + _FIELDS,
        exception_handlers=UNREADABLE,  # type: ignore[arg-type]
    )
