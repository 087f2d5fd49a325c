"""The requests and responses of the voices API, and of OpenAI's addresses of voices (the ``Audio`` names)."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar.datastructures import UploadFile
from msgspec import Meta

from orchestrator.lib.schema import Schema

Kind = Literal["prompt", "mix"]
AudioSample = Literal["audio_sample"]
Name = Annotated[str, Meta(description="Requests may use it, or the slug that is made of it.")]
Description = Annotated[str, Meta(description="For people.")]
Language = Annotated[str | None, Meta(description="BCP 47, spoken where a request says nothing else.")]
Transcript = Annotated[str, Meta(description="What is said in the audio, word for word.")]
Consent = Annotated[str, Meta(description="The words in which the speaker agreed to a voice made of theirs.")]


class NewPrompt(Schema):
    """A voice that speaks like a recording."""

    audio: Annotated[UploadFile, Meta(description="3 to 30 seconds of one voice: WAV, FLAC, MP3, Ogg, M4A or WebM.")]
    name: Name
    transcript: Transcript
    consent: Consent
    speaker: Annotated[str, Meta(description="Who agreed: the person whose voice it is.")]
    language: Language = None
    description: Description = ""
    model: Annotated[str | None, Meta(description="A model that takes prompts. Left out: the one that does.")] = None


class NewMix(Schema):
    """A mix of a model's voices under a name."""

    name: Name
    mix: Annotated[dict[str, float], Meta(description="Voices and their weights.")]
    language: Language = None
    description: Description = ""
    model: Annotated[str | None, Meta(description="A model that mixes voices. Left out: the one that does.")] = None


class VoiceChange(Schema):
    """Fields that are left out stay as they are."""

    name: Name | None = None
    description: Description | None = None
    language: Language = None
    transcript: Annotated[str | None, Meta(description="For a prompt only.")] = None


class ConsentView(Schema):
    speaker: str
    statement: str
    recorded_at: datetime


class PromptView(Schema):
    transcript: str
    seconds: Annotated[float, Meta(description="Length of the recording, without the silence around it.")]
    digest: Annotated[str, Meta(description="SHA-256 of the stored samples.")]
    consent: ConsentView


class CustomVoiceView(Schema):
    id: UUID
    slug: Annotated[str, Meta(description="What a request's 'voice' may say; or the id, or the name.")]
    name: str
    kind: Kind
    model: str
    language: Annotated[str, Meta(description="BCP 47.")]
    description: str
    created_at: datetime
    preview: Annotated[str, Meta(description="The address of a short sample.")]
    prompt: PromptView | None
    mix: Annotated[dict[str, float] | None, Meta(description="Voices and their weights.")]


class VoiceView(Schema):
    id: Annotated[UUID | None, Meta(description="A custom voice's; null for a model's voice.")]
    slug: Annotated[str, Meta(description="What a request's 'voice' says.")]
    name: Annotated[str, Meta(description="The name you gave a custom voice; the slug of a model's voice.")]
    kind: Annotated[
        Literal["model", "prompt", "mix"],
        Meta(description="model: a model's voice; else a custom voice, of a recording (prompt) or a mix."),
    ]
    model: str
    language: Annotated[str, Meta(description="BCP-47.")]
    gender: str | None
    grade: Annotated[str | None, Meta(description="The quality by its makers, A to F; null where they do not say.")]
    description: str


class VoiceList(Schema):
    items: list[VoiceView]


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
