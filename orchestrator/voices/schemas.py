from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from orchestrator.lib.schema import Schema


class VoiceView(Schema):
    id: Annotated[UUID | None, Meta(description="Of a voice of your own.")]
    slug: Annotated[str, Meta(description="What a request's 'voice' says.")]
    name: Annotated[str, Meta(description="The same, but for a voice of your own, which has the name you gave it.")]
    kind: Annotated[
        Literal["model", "prompt", "mix"],
        Meta(description="model: the model's own; else your own, by a recording or as a mix."),
    ]
    model: str
    language: Annotated[str, Meta(description="BCP-47.")]
    gender: str | None
    grade: Annotated[str | None, Meta(description="How good its makers find it, A to F; null where they do not say.")]
    description: str


class VoiceList(Schema):
    items: list[VoiceView]
