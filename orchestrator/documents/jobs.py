"""The job that cuts a document into blocks: a long text takes seconds of CPU, which no request should wait for."""

from typing import Final
from uuid import UUID

import msgspec
import structlog

from orchestrator.documents.schemas import Format
from orchestrator.documents.tables import Block, Document
from orchestrator.jobs.run import JobRun, Progress
from orchestrator.lib.database import DB
from orchestrator.lib.errors.problems import Problem
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.text.blocks import BlockDraft, cut_document

_ROWS_PER_INSERT: Final = 1000  # times ten columns stays below Postgres's 32,767 parameters

log = structlog.stdlib.get_logger("lectern.documents")


class CannotCut(Problem):
    """The text could not be cut into blocks. Send it as plain text, "format": "text", and report this as a bug."""

    status = 422
    title = "Cannot cut the text"
    slug = "cannot-cut"


async def cut(job: JobRun, document_id: str, *, threads: PriorityThreads) -> None:
    """Cuts a queued document. It may run any number of times with the same result, as a worker may die at any point.

    A thread cannot be stopped: that of a cancelled job is not free until it ends, so no more work runs than threads.
    """
    document = await Document.objects().get(Document.id == UUID(document_id))
    if document is None or document.status != "queued":
        return
    job.progress.update(0, 0, "Cutting the text into blocks")
    try:
        drafts = await threads.run(cut_document, document.text, msgspec.convert(document.format, Format))
    except Exception as error:
        # The same text would fail again: a bug, which this line tells.
        log.exception("document cannot be cut", document=document_id)
        raise CannotCut from error
    await _store_blocks(document, drafts, job.progress)


async def _store_blocks(document: Document, drafts: list[BlockDraft], progress: Progress) -> None:
    async with DB.transaction():
        still_there = await Document.select(Document.id).where(Document.id == document.id).lock_rows("UPDATE").first()
        if still_there is None:
            return
        await Block.delete().where(Block.document == document.id)
        rows = [_row(document, position, draft) for position, draft in enumerate(drafts)]
        for start in range(0, len(rows), _ROWS_PER_INSERT):
            progress.update(start, len(rows), "Storing the blocks")
            await Block.insert(*rows[start : start + _ROWS_PER_INSERT])
        await Document.update(
            {
                Document.status: "ready",
                Document.blocks: len(rows),
                Document.estimated_seconds: sum(draft.estimated_seconds for draft in drafts),
            }
        ).where(Document.id == document.id)
    progress.update(len(rows), len(rows))


def _row(document: Document, position: int, draft: BlockDraft) -> Block:
    return Block(
        document=document.id,
        position=position,
        role=draft.role,
        level=draft.level,
        shown=draft.shown,
        spoken=draft.spoken,
        spans=msgspec.json.encode(draft.spans).decode(),
        parts=msgspec.json.encode(draft.parts).decode(),
        estimated_seconds=draft.estimated_seconds,
        ends=draft.ends,
    )
