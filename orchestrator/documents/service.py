"""The rules of documents: whose they are, how they are kept, and when their blocks are cut."""

from uuid import UUID

import msgspec

from orchestrator.documents.schemas import BlockPage, BlockView, DocumentPage, DocumentView, NewDocument
from orchestrator.documents.settings import DocumentSettings
from orchestrator.documents.tables import Block, Document
from orchestrator.documents.titles import title_of
from orchestrator.lib import jobs
from orchestrator.lib.database import DB, run
from orchestrator.lib.errors.problems import NotFound, NotReady, bad_field
from orchestrator.lib.text_input import check_text
from orchestrator.text.spans import Span

CUT_JOB = "documents:cut"
_VIEW = [getattr(Document, name) for name in DocumentView.__struct_fields__]
_BLOCK_VIEW = [getattr(Block, name) for name in BlockView.__struct_fields__]
# Plain SQL as every GET of audio runs it, and building such a join anew costs more than running it.
_SPOKEN = (
    "SELECT block.spoken FROM block JOIN document ON document.id = block.document"
    " WHERE block.id = {} AND block.document = {} AND document.account = {}"
)

_OUTLINE = (
    "SELECT id, position, estimated_seconds, spoken <> '' AS read FROM block WHERE document = {} ORDER BY position"
)


class VoicedBlock(msgspec.Struct, frozen=True):
    """A block as the makers of its audio see it."""

    id: UUID
    position: int
    shown: str
    spoken: str
    spans: list[Span]
    estimated_seconds: float


class OutlinedBlock(msgspec.Struct, frozen=True):
    """``read`` is whether it is read aloud."""

    id: UUID
    position: int
    estimated_seconds: float
    read: bool


async def create(account: UUID, new: NewDocument, limits: DocumentSettings) -> DocumentView:
    """Raises `BadRequest` or `TooLarge`. Once it returns, the document and the job that cuts it are both safe."""
    check_text(new.text, field="text", limit=limits.max_characters)
    title = new.title if new.title is not None else title_of(new.text)[: limits.max_title]
    check_text(title, field="title", limit=limits.max_title)
    document = Document(account=account, title=title, format=new.format, text=new.text, characters=len(new.text))
    async with DB.transaction():
        await document.save()
        await jobs.enqueue(CUT_JOB, document_id=str(document.id))
    return await get(account, document.id)


async def get(account: UUID, document_id: UUID) -> DocumentView:
    """Raises `NotFound`, also for a document of another account: who may not see it may not know of it."""
    found = await Document.select(*_VIEW).where(Document.id == document_id, Document.account == account).first()
    if found is None:
        raise NotFound(f"There is no document {document_id}.")
    return msgspec.convert(found, DocumentView)


async def page(account: UUID, *, limit: int, after: UUID | None, limits: DocumentSettings) -> DocumentPage:
    """Newest first."""
    _check_page(limit, limits)
    query = Document.select(*_VIEW).where(Document.account == account)
    if after is not None:
        query = query.where(Document.id < after)
    rows = await query.order_by(Document.id, ascending=False).limit(limit + 1)
    items = msgspec.convert(rows[:limit], list[DocumentView])
    return DocumentPage(items=items, next=items[-1].id if len(rows) > limit else None)


async def delete(account: UUID, document_id: UUID) -> None:
    """Raises `NotFound`. The blocks go with it; audio stays, as others may have had the same words spoken."""
    gone = await Document.delete().where(Document.id == document_id, Document.account == account).returning(Document.id)
    if not gone:
        raise NotFound(f"There is no document {document_id}.")


async def blocks(
    account: UUID, document_id: UUID, *, limit: int, after: int | None, limits: DocumentSettings
) -> BlockPage:
    """In reading order. Raises `NotFound`."""
    _check_page(limit, limits)
    await get(account, document_id)
    query = Block.select(*_BLOCK_VIEW).where(Block.document == document_id)
    if after is not None:
        query = query.where(Block.position > after)
    rows = await query.order_by(Block.position).limit(limit + 1).output(load_json=True)
    items = msgspec.convert(rows[:limit], list[BlockView])
    return BlockPage(items=items, next=items[-1].position if len(rows) > limit else None)


async def spoken_of_block(account: UUID, document_id: UUID, block_id: UUID) -> str:
    """Raises `NotFound`."""
    found = await run(_SPOKEN, block_id, document_id, account)
    if not found:
        raise NotFound(f"Document {document_id} has no block {block_id}.")
    return str(found[0]["spoken"])


async def voiced(account: UUID, document_id: UUID) -> list[VoicedBlock]:
    """Every block that is read aloud, in order. Raises `NotFound`, or `NotReady` if it is not cut into blocks."""
    await _cut(account, document_id)
    columns = (Block.id, Block.position, Block.shown, Block.spoken, Block.spans, Block.estimated_seconds)
    rows = (
        await Block.select(*columns)
        .where(Block.document == document_id, Block.spoken != "")
        .order_by(Block.position)
        .output(load_json=True)
    )
    return msgspec.convert(rows, list[VoicedBlock])


async def outline(account: UUID, document_id: UUID) -> list[OutlinedBlock]:
    """Every block, in order, without its texts. Raises `NotFound`, or `NotReady` if it is not cut into blocks."""
    await _cut(account, document_id)
    return msgspec.convert(await run(_OUTLINE, document_id), list[OutlinedBlock])


async def _cut(account: UUID, document_id: UUID) -> None:
    document = await get(account, document_id)
    if document.status == "failed":
        raise NotReady(f"This document cannot be read aloud: {document.error or 'its text could not be cut.'}")
    if document.status != "ready":
        raise NotReady("This document is still being cut into blocks. Try again in a moment.")


def _check_page(limit: int, limits: DocumentSettings) -> None:
    if not 1 <= limit <= limits.max_page:
        raise bad_field("limit", f"must be from 1 to {limits.max_page}", where="query")
