"""The rules of documents: an account creates, reads and deletes its own, and a job cuts each into blocks."""

import string
from typing import Final
from uuid import UUID

import msgspec

from lectern_contract import Break
from orchestrator.accounts.requester import Requester
from orchestrator.documents.schemas import BlockPage, BlockView, DocumentPage, DocumentView, NewDocument
from orchestrator.documents.settings import DocumentSettings
from orchestrator.documents.tables import Block, Document
from orchestrator.jobs import queue
from orchestrator.lib.database import DB, run
from orchestrator.lib.errors.problems import NotFound, NotReady, bad_field
from orchestrator.lib.text_input import check_text
from orchestrator.text.spans import Span

CUT: Final = queue.Kind("cut_document")
# A queued document whose job has ended, or is forgotten, will never be cut.
_VIEW: Final = (
    "SELECT document.id, title, format, characters, blocks, estimated_seconds, document.created_at, document.job,"
    " CASE WHEN lost THEN 'failed' ELSE status END AS status, CASE WHEN NOT lost THEN document.error"
    " WHEN job.state = 'cancelled' THEN 'Cutting it into blocks was cancelled. Send the text again.'"
    " ELSE coalesce(job.error ->> 'detail', 'The text could not be cut into blocks. Send it again.') END AS error"
    " FROM document LEFT JOIN job ON job.id = document.job"
    " CROSS JOIN LATERAL (SELECT status = 'queued' AND coalesce(job.state NOT IN ('queued', 'running'), true)"
    " AS lost) AS fate WHERE document.account = {}"
)
_ONE: Final = f"{_VIEW} AND document.id = {{}}"
_PAGE: Final = f"{_VIEW} AND ({{}}::uuid IS NULL OR document.id < {{}}) ORDER BY document.id DESC LIMIT {{}}"
_BLOCK_VIEW = [getattr(Block, name) for name in BlockView.__struct_fields__]
# Plain SQL, as every GET of audio runs it, and building the query costs more than running it.
_SPOKEN = (
    "SELECT block.spoken, block.ends FROM block JOIN document ON document.id = block.document"
    " WHERE block.id = {} AND block.document = {} AND document.account = {}"
)

_SUMMARIES = (
    "SELECT id, position, estimated_seconds, spoken <> '' AS is_spoken FROM block WHERE document = {} ORDER BY position"
)

_TITLE_MARKUP: Final = string.whitespace + "#*_`~"
_BEFORE_TITLE: Final = _TITLE_MARKUP + ">-=.)" + string.digits
_LONGEST_TITLE_LINE: Final = 2_000  # characters looked at: a title is far shorter, and a line may be a whole book


class SpokenBlock(msgspec.Struct, frozen=True):
    """A block that is read aloud, with the texts that its audio and captions need."""

    id: UUID
    position: int
    shown: str
    spoken: str
    spans: list[Span]
    estimated_seconds: float
    ends: Break | None


class SpokenText(msgspec.Struct, frozen=True):
    """What is spoken of a block, and what ends with it. The text is empty if it is not read aloud."""

    spoken: str
    ends: Break | None


class BlockSummary(msgspec.Struct, frozen=True):
    """A block without its texts. ``is_spoken`` says whether it is read aloud."""

    id: UUID
    position: int
    estimated_seconds: float
    is_spoken: bool


async def create(requester: Requester, new: NewDocument, limits: DocumentSettings) -> DocumentView:
    """Stores a document and the job that cuts it, both or neither. Raises `BadRequest` or `TooLarge`."""
    check_text(new.text, field="text", limit=limits.max_characters)
    title = new.title if new.title is not None else title_of(new.text)[: limits.max_title]
    check_text(title, field="title", limit=limits.max_title)
    document = Document(
        account=requester.account, title=title, format=new.format, text=new.text, characters=len(new.text)
    )
    async with DB.transaction():
        document.job = await queue.enqueue(
            CUT, requester.account, resource=f"/api/v1/documents/{document.id}", document_id=str(document.id)
        )
        await document.save()
    return await get(requester, document.id)


async def get(requester: Requester, document_id: UUID) -> DocumentView:
    """Returns a document. Raises `NotFound`, also for one of another account: nobody else may know that it exists."""
    for found in await run(_ONE, requester.account, document_id):
        return msgspec.convert(found, DocumentView)
    raise NotFound(f"There is no document {document_id}.")


async def list_page(requester: Requester, *, limit: int, after: UUID | None, limits: DocumentSettings) -> DocumentPage:
    """Returns a page of the account's documents, newest first."""
    _check_page(limit, limits)
    rows = await run(_PAGE, requester.account, after, after, limit + 1)
    items = msgspec.convert(rows[:limit], list[DocumentView])
    return DocumentPage(items=items, next=items[-1].id if len(rows) > limit else None)


async def delete(requester: Requester, document_id: UUID) -> None:
    """Deletes a document and its blocks, and cancels its job. Its audio stays, as other documents may share it.

    Raises `NotFound`.
    """
    async with DB.transaction():
        gone = (
            await Document.delete()
            .where(Document.id == document_id, Document.account == requester.account)
            .returning(Document.job)
        )
        if not gone:
            raise NotFound(f"There is no document {document_id}.")
        if (job := gone[0]["job"]) is not None:
            await queue.cancel(job)


async def list_blocks(
    requester: Requester, document_id: UUID, *, limit: int, after: int | None, limits: DocumentSettings
) -> BlockPage:
    """Returns a page of blocks, in reading order. Raises `NotFound`."""
    _check_page(limit, limits)
    await get(requester, document_id)
    query = Block.select(*_BLOCK_VIEW).where(Block.document == document_id)
    if after is not None:
        query = query.where(Block.position > after)
    rows = await query.order_by(Block.position).limit(limit + 1).output(load_json=True)
    items = msgspec.convert(rows[:limit], list[BlockView])
    return BlockPage(items=items, next=items[-1].position if len(rows) > limit else None)


async def spoken_text(requester: Requester, document_id: UUID, block_id: UUID) -> SpokenText:
    """Raises `NotFound`."""
    for found in await run(_SPOKEN, block_id, document_id, requester.account):
        return msgspec.convert(found, SpokenText)
    raise NotFound(f"Document {document_id} has no block {block_id}.")


async def spoken_blocks(requester: Requester, document_id: UUID) -> list[SpokenBlock]:
    """Returns the blocks that are read aloud, in order. Raises `NotFound`, or `NotReady` before they are cut."""
    await _check_ready(requester, document_id)
    columns = (Block.id, Block.position, Block.shown, Block.spoken, Block.spans, Block.estimated_seconds, Block.ends)
    rows = (
        await Block.select(*columns)
        .where(Block.document == document_id, Block.spoken != "")
        .order_by(Block.position)
        .output(load_json=True)
    )
    return msgspec.convert(rows, list[SpokenBlock])


async def block_summaries(requester: Requester, document_id: UUID) -> list[BlockSummary]:
    """Returns all blocks, in order, without their texts. Raises `NotFound`, or `NotReady` before they are cut."""
    await _check_ready(requester, document_id)
    return msgspec.convert(await run(_SUMMARIES, document_id), list[BlockSummary])


def title_of(text: str) -> str:
    """Returns the first line with a letter or digit in it, without the markup around it."""
    lines = [line[:_LONGEST_TITLE_LINE] for line in text.splitlines()]
    for line in lines:
        bare = line.lstrip(_BEFORE_TITLE).rstrip(_TITLE_MARKUP)
        if any(character.isalnum() for character in bare):
            return " ".join(bare.split())
    return next((line.strip() for line in lines if line.strip()), "Untitled")


async def _check_ready(requester: Requester, document_id: UUID) -> None:
    document = await get(requester, document_id)
    if document.status == "failed":
        raise NotReady(f"This document cannot be read aloud: {document.error or 'its text could not be cut.'}")
    if document.status != "ready":
        raise NotReady("This document is still being cut into blocks. Try again in a moment.")


def _check_page(limit: int, limits: DocumentSettings) -> None:
    if not 1 <= limit <= limits.max_page:
        raise bad_field("limit", f"must be from 1 to {limits.max_page}", where="query")
