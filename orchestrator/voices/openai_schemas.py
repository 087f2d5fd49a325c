"""What the /v1 addresses of voices take and give: OpenAI's fields, and a few more."""

from typing import Annotated, Literal

from litestar.datastructures import UploadFile
from msgspec import Meta

from orchestrator.lib.schema import Schema
from orchestrator.voices.custom.schemas import Description, Language, Name, Transcript

AudioSample = Literal["audio_sample"]


class AudioVoice(Schema):
    id: str
    name: str
    language: Annotated[str, Meta(description="BCP 47.")]
    model: str
    preview: Annotated[str, Meta(description="The address of a short sample.")]


class AudioVoiceList(Schema):
    voices: list[AudioVoice]


class NewAudioVoice(Schema):
    audio_sample: Annotated[UploadFile, Meta(description="3 to 30 seconds of one voice.")]
    name: Name
    consent: Annotated[
        str, Meta(description="The words in which the speaker agreed; the id of a consent recording will not do.")
    ]
    transcript: Transcript
    type: AudioSample = "audio_sample"
    speaker: Annotated[str | None, Meta(description="Who agreed. Left out: the voice's name.")] = None
    language: Language = None
    description: Description = ""
    model: Annotated[str | None, Meta(description="A model that takes prompts. Left out: the one that does.")] = None


class MadeVoice(Schema):
    id: str
    name: str
    created_at: Annotated[int, Meta(description="Seconds since 1970.")]
    object: str = "audio.voice"
    type: AudioSample = "audio_sample"


class DeletedVoice(Schema):
    id: str
    deleted: bool = True
    object: str = "audio.voice.deleted"
