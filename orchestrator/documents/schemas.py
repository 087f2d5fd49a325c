"""The requests and responses of the documents API."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from orchestrator.lib.schema import Schema

Format = Literal["markdown", "text"]
Status = Literal["queued", "ready", "failed"]
Span = Annotated[
    tuple[int, int, int, int], Meta(description="spoken_start, spoken_end, shown_start, shown_end, in characters")
]


class NewDocument(Schema):
    text: Annotated[str, Meta(description="The whole text.")]
    format: Annotated[Format, Meta(description="How the text is to be read.")] = "markdown"
    title: Annotated[str | None, Meta(description="Left out: the first heading, else the first words.")] = None


class DocumentView(Schema):
    id: UUID
    title: str
    format: Format
    status: Annotated[Status, Meta(description="Blocks are cut by the worker: queued, then ready or failed.")]
    error: str | None
    job: Annotated[UUID | None, Meta(description="The job that cuts it, which can be followed at /api/v1/jobs.")]
    characters: int
    blocks: int
    estimated_seconds: float
    created_at: datetime


class DocumentPage(Schema):
    items: list[DocumentView]
    next: Annotated[UUID | None, Meta(description="Send it as 'after' for the next page.")]


class PartView(Schema):
    """The part of a block that comes from one element of the document; ranges are in characters of its texts."""

    role: str
    level: int | None
    shown_start: int
    shown_end: int
    spoken_start: int
    spoken_end: int


class BlockView(Schema):
    id: UUID
    position: int
    role: str
    level: int | None
    shown: str
    spoken: Annotated[str, Meta(description="What is read aloud; empty for a block that is not, such as code.")]
    spans: Annotated[list[Span], Meta(description="Where each run of the spoken text stands in the shown text.")]
    parts: list[PartView]
    estimated_seconds: float


class BlockPage(Schema):
    items: list[BlockView]
    next: Annotated[int | None, Meta(description="Send it as 'after' for the next page.")]
