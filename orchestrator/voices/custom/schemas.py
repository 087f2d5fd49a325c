"""What the API of an account's own voices takes and gives."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar.datastructures import UploadFile
from msgspec import Meta

from orchestrator.lib.schema import Schema

Kind = Literal["prompt", "mix"]
Name = Annotated[str, Meta(description="Requests may say it, or the slug that is made of it.")]
Description = Annotated[str, Meta(description="For people.")]
Language = Annotated[str | None, Meta(description="BCP 47, what it speaks where a request says nothing else.")]
Transcript = Annotated[str, Meta(description="What is said in the audio, word for word.")]
Consent = Annotated[str, Meta(description="The words in which the speaker agreed to a voice made of their own.")]


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
    """A mix of a model's voices, kept under a name."""

    name: Name
    mix: Annotated[dict[str, float], Meta(description="Voices and their weights.")]
    language: Language = None
    description: Description = ""
    model: Annotated[str | None, Meta(description="A model that mixes voices. Left out: the one that does.")] = None


class VoiceChange(Schema):
    """What is left out stays as it is."""

    name: Name | None = None
    description: Description | None = None
    language: Language = None
    transcript: Annotated[str | None, Meta(description="Of a prompt.")] = None


class ConsentView(Schema):
    speaker: str
    statement: str
    recorded_at: datetime


class PromptView(Schema):
    transcript: str
    seconds: Annotated[float, Meta(description="Of the recording, without the silence that was around it.")]
    digest: Annotated[str, Meta(description="SHA-256 of the samples that are kept.")]
    consent: ConsentView


class CustomVoiceView(Schema):
    id: UUID
    slug: Annotated[str, Meta(description="What a request's 'voice' may say; the id and the name will do too.")]
    name: str
    kind: Kind
    model: str
    language: Annotated[str, Meta(description="BCP 47.")]
    description: str
    created_at: datetime
    preview: Annotated[str, Meta(description="The address of a short sample.")]
    prompt: PromptView | None
    mix: Annotated[dict[str, float] | None, Meta(description="Voices and their weights.")]
