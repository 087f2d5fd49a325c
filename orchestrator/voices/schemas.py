from typing import Annotated

from msgspec import Meta

from orchestrator.lib.schema import Schema


class VoiceView(Schema):
    name: str
    model: str
    language: Annotated[str, Meta(description="BCP-47.")]
    gender: str | None
    grade: Annotated[str | None, Meta(description="How good its makers find it, A to F; null where they do not say.")]
    description: str


class VoiceList(Schema):
    items: list[VoiceView]
