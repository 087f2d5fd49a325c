"""What the speech API takes: OpenAI's fields, by OpenAI's names."""

from typing import Annotated

from msgspec import Meta

from lectern import contract
from orchestrator.lib.schema import Schema
from orchestrator.speech.audio.formats import AudioFormat

Speed = Annotated[
    float,
    Meta(ge=contract.MIN_SPEED, le=contract.MAX_SPEED, description="1 is the voice's own pace, 2 is twice as fast."),
]


class SpeechRequest(Schema):
    input: Annotated[str, Meta(description="The text to speak.")]
    model: Annotated[
        str | None,
        Meta(description="A model of GET /v1/models. Left out, or OpenAI's tts-1 or tts-1-hd: the default one."),
    ] = None
    voice: Annotated[str | None, Meta(description="A voice of GET /api/v1/voices. Left out: the default one.")] = None
    response_format: Annotated[
        AudioFormat, Meta(description="pcm is int16 little-endian mono at 24 kHz, without a header.")
    ] = "mp3"
    speed: Speed = 1.0


class Model(Schema):
    id: str
    object: str = "model"
    created: int = 0
    owned_by: str = "lectern"


class ModelList(Schema):
    data: list[Model]
    object: str = "list"
