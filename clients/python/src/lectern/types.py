"""The objects of the REST API as a client sees them. Fields that a newer server adds are ignored."""

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec

AudioFormat = Literal["opus", "wav", "flac", "mp3", "aac", "pcm"]
CaptionFormat = Literal["srt", "vtt", "json"]
DocumentFormat = Literal["markdown", "text"]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    title: str | None
    format: str
    status: str  # "queued", "ready" or "failed"
    error: str | None = None
    job: str | None = None  # the job that cuts it
    characters: int
    blocks: int  # 0 until it is ready
    estimated_seconds: float
    created_at: datetime


class JobProgress(msgspec.Struct, frozen=True, kw_only=True):
    done: int
    total: int  # 0: not known yet
    message: str


class JobError(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    detail: str


class Job(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    kind: str
    resource: str  # the path of what it makes
    state: str  # "queued", "running", then "succeeded", "failed" or "cancelled"
    progress: JobProgress
    error: JobError | None = None
    version: int
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A range of a block with a role of its own; offsets in characters."""

    role: str
    level: int | None = None
    shown_start: int
    shown_end: int
    spoken_start: int
    spoken_end: int


class Block(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    position: int
    role: str
    level: int | None = None
    shown: str
    spoken: str
    spans: list[tuple[int, int, int, int]]  # spoken_start, spoken_end, shown_start, shown_end, in characters
    parts: list[Part] = []
    estimated_seconds: float


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    slug: str = ""  # of a custom voice: its name in requests
    id: str | None = None  # of a custom voice
    kind: str = "model"  # "model": one that the model has; "prompt" or "mix": a custom voice
    model: str
    language: str  # BCP-47
    gender: str | None = None
    grade: str | None = None  # how good its makers find it, A to F
    description: str = ""


class VoiceConsent(msgspec.Struct, frozen=True, kw_only=True):
    """The speaker who agreed to a custom voice, and the words of it."""

    speaker: str
    statement: str
    recorded_at: datetime


class VoicePrompt(msgspec.Struct, frozen=True, kw_only=True):
    """The reference recording of a custom voice, and its transcript."""

    transcript: str
    seconds: float
    digest: str  # SHA-256 of its samples
    consent: VoiceConsent


class CustomVoice(msgspec.Struct, frozen=True, kw_only=True):
    """A voice that the account made. The `voice` of a request may be its id, its slug or its name."""

    id: str
    slug: str
    name: str
    kind: str  # "prompt" or "mix"
    model: str
    language: str  # BCP-47
    description: str
    created_at: datetime
    preview: str  # address of a short sample
    prompt: VoicePrompt | None = None
    mix: dict[str, float] | None = None  # voices and their weights


class Model(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    owned_by: str = ""
    version: str = ""  # changes whenever the same request would sound different


class Check(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    ok: bool
    detail: str = ""
    age_seconds: float | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    status: Literal["ready", "unready"]
    version: str
    checks: list[Check]

    @property
    def ready(self) -> bool:
        return self.status == "ready"


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    field: str
    message: str


class Word(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a word is heard, in seconds from the start of the audio, and where it stands.

    Offsets are characters of the text that was sent, of its `turn`'s, or of the shown text of its `block`; both ends as
    in a slice.
    """

    word: str
    start: float
    end: float
    text_start: int
    text_end: int
    block: str | None = None  # of a document: the block's id
    turn: int | None = None  # of a dialogue: the place of the turn, from 0


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    words: list[Word]
    duration: float  # seconds


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    characters: int
    seconds: float  # of audio
    cost: int | None = None  # micro-credits


class AudioDelta(msgspec.Struct, frozen=True):
    """The next bytes of the encoded file."""

    audio: bytes


class Words(msgspec.Struct, frozen=True):
    """Words whose times became known with the audio before this event."""

    words: list[Word]


class Done(msgspec.Struct, frozen=True):
    """The audio is complete."""

    usage: Usage


SpeechEvent: TypeAlias = AudioDelta | Words | Done
