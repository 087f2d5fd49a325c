"""What speech is answered with, in the API's description: Litestar knows one media type for each route, not several."""

from typing import Final

from litestar.openapi.spec import OpenAPI, OpenAPIMediaType, Operation, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from orchestrator.audio.formats import CONTAINERS
from orchestrator.speech.response.captions import CONTENT_TYPES

# Routes declare these where the request decides.
ANY_AUDIO: Final = "audio/*"
ANY_CAPTIONS: Final = "text/*"
EVENTS: Final = "text/event-stream"

_CAPTION_TYPES: Final = [kind.partition(";")[0] for kind in CONTENT_TYPES.values()]
_TEXT: Final = Schema(type=OpenAPIType.STRING)
_SECONDS: Final = Schema(type=OpenAPIType.NUMBER, minimum=0, description="From the start of the audio.")
_OFFSET: Final = Schema(type=OpenAPIType.INTEGER, minimum=0, description="Characters of the text; ends as in a slice.")
_WORD: Final = Schema(
    type=OpenAPIType.OBJECT,
    required=["word", "start", "end", "text_start", "text_end"],
    properties={
        "word": _TEXT,
        "start": _SECONDS,
        "end": _SECONDS,
        "text_start": _OFFSET,
        "text_end": _OFFSET,
        "block": Schema(
            type=OpenAPIType.STRING, format=OpenAPIFormat.UUID, description="Of a document's word: its block."
        ),
        "turn": Schema(type=OpenAPIType.INTEGER, minimum=0, description="Of a dialogue's word: its turn, from 0."),
    },
    additional_properties=False,
)
_EVENT: Final = Schema(
    type=OpenAPIType.OBJECT,
    description="One event. Its data is JSON with a type: speech.audio.delta with audio in base64, speech.audio.words"
    " with words, and last speech.audio.done with usage, or error with an error of OpenAI's shape.",
    required=["data"],
    properties={"data": Schema(type=OpenAPIType.STRING, content_media_type="application/json")},
)
_CAPTIONS: Final = Schema(
    type=OpenAPIType.OBJECT,
    required=["words", "duration"],
    properties={"words": Schema(type=OpenAPIType.ARRAY, items=_WORD), "duration": _SECONDS},
    additional_properties=False,
)


def describe_speech(api: OpenAPI) -> None:
    """Names every media type that a route may answer with."""
    for item in (api.paths or {}).values():
        for operation in (item.get, item.post):
            if operation is not None:
                _name_media_types(operation)
        if item.head is not None:
            for answer in (item.head.responses or {}).values():
                answer.content = None  # type: ignore[union-attr]


def _name_media_types(operation: Operation) -> None:
    for answer in (operation.responses or {}).values():
        content = getattr(answer, "content", None) or {}
        if ANY_AUDIO in content:
            binary = content.pop(ANY_AUDIO)
            content.update({one.content_type: binary for one in CONTAINERS.values()})
            if operation.operation_id == "create_speech":
                content[EVENTS] = OpenAPIMediaType(schema=_EVENT)
        if ANY_CAPTIONS in content:
            del content[ANY_CAPTIONS]
            content.update({one: OpenAPIMediaType(schema=_TEXT) for one in _CAPTION_TYPES})
            content[CONTENT_TYPES["json"]] = OpenAPIMediaType(schema=_CAPTIONS)
