from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from orchestrator.accounts.requester import Requester
from orchestrator.documents import service
from orchestrator.documents.schemas import BlockPage, DocumentPage, DocumentView, NewDocument
from orchestrator.settings import Settings

LAST_POSITION = 2**31 - 1  # what the database's column can hold
Limit = Annotated[int, QueryParameter(ge=1, description="Items on one page.")]


class DocumentController(Controller):
    path = "/api/v1/documents"
    tags = ("Documents",)

    @post(summary="Hand in a text; the worker cuts it into blocks")
    async def create_document(
        self, data: JSONBody[NewDocument], requester: NamedDependency[Requester], settings: NamedDependency[Settings]
    ) -> DocumentView:
        return await service.create(requester, data, settings.documents)

    @get(summary="Your documents, newest first")
    async def list_documents(
        self,
        requester: NamedDependency[Requester],
        settings: NamedDependency[Settings],
        limit: Limit = 50,
        after: Annotated[UUID | None, QueryParameter(description="The 'next' of the page before.")] = None,
    ) -> DocumentPage:
        return await service.list_page(requester, limit=limit, after=after, limits=settings.documents)

    @get("/{document_id:uuid}", summary="One document")
    async def get_document(self, document_id: FromPath[UUID], requester: NamedDependency[Requester]) -> DocumentView:
        return await service.get(requester, document_id)

    @delete("/{document_id:uuid}", summary="Delete a document and its blocks")
    async def delete_document(self, document_id: FromPath[UUID], requester: NamedDependency[Requester]) -> None:
        await service.delete(requester, document_id)

    @get("/{document_id:uuid}/blocks", summary="A document's blocks, in reading order")
    async def list_blocks(
        self,
        document_id: FromPath[UUID],
        requester: NamedDependency[Requester],
        settings: NamedDependency[Settings],
        limit: Limit = 100,
        after: Annotated[
            int | None, QueryParameter(ge=0, le=LAST_POSITION, description="The 'next' of the page before.")
        ] = None,
    ) -> BlockPage:
        return await service.list_blocks(requester, document_id, limit=limit, after=after, limits=settings.documents)
