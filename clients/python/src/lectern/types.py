"""The objects of the REST API as a client sees them. Fields that a newer server adds are ignored."""

from datetime import datetime
from typing import Literal

import msgspec

AudioFormat = Literal["opus", "wav", "flac", "mp3", "pcm"]
DocumentFormat = Literal["markdown", "text"]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    title: str | None
    format: str
    status: str  # "queued", "ready" or "failed"
    error: str | None = None
    characters: int
    blocks: int  # 0 until it is ready
    estimated_seconds: float
    created_at: datetime


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a block with a role of its own; offsets in characters."""

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
    model: str
    language: str  # BCP-47
    gender: str | None = None
    description: str = ""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    owned_by: str = ""


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
