"""The REST client for asyncio. Keep in step with `sync`, its twin."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from types import TracebackType
from typing import Self

import httpx

from lectern.errors import DocumentFailedError, DocumentNotReadyError
from lectern.rest import answers, requests
from lectern.rest.connection import Connection
from lectern.rest.polling import delays
from lectern.rest.requests import Request
from lectern.types import AudioFormat, Block, Document, DocumentFormat, Model, Status, Voice


class AsyncClient:
    """Speaks to Lectern's REST API. Every method raises a LecternError when it fails.

    May be shared by tasks. Without `url` the server is LECTERN_URL, else the stack of this machine; without
    `api_key` the key is LECTERN_API_KEY, else the one of this machine's stack. `timeout` is in seconds without a
    byte of the answer.
    """

    def __init__(self, url: str | None = None, *, api_key: str | None = None, timeout: float = 30.0) -> None:
        connection = Connection.find(url, api_key)
        self.url = connection.url
        self._timeout = timeout
        self._http = httpx.AsyncClient(**connection.options(timeout))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def speak(
        self,
        text: str,
        *,
        voice: str | None = None,
        model: str | None = None,
        speed: float | None = None,
        audio_format: AudioFormat = "opus",
    ) -> bytes:
        """The whole spoken text as an encoded file."""
        chunks = self.stream_speech(text, voice=voice, model=model, speed=speed, audio_format=audio_format)
        return b"".join([chunk async for chunk in chunks])

    def stream_speech(
        self,
        text: str,
        *,
        voice: str | None = None,
        model: str | None = None,
        speed: float | None = None,
        audio_format: AudioFormat = "opus",
    ) -> AsyncGenerator[bytes, None]:
        """Yields the file as it is made. Closing the generator stops the work on the server."""
        return self._stream(requests.speech(text, voice, model, speed, audio_format))

    async def create_document(
        self, text: str, *, title: str | None = None, document_format: DocumentFormat = "markdown"
    ) -> Document:
        """The document is still queued: see `wait_until_ready`."""
        return answers.decode(await self._send(requests.create_document(text, title, document_format)), Document)

    async def wait_until_ready(self, document_id: str, *, timeout: float = 120.0) -> Document:  # noqa: ASYNC109 - as in `sync`
        """Raises DocumentFailedError, or DocumentNotReadyError after `timeout` seconds."""
        for delay in delays(timeout):
            document = await self.get_document(document_id)
            if document.status == "ready":
                return document
            if document.status == "failed":
                raise DocumentFailedError(document)
            await asyncio.sleep(delay)
        raise DocumentNotReadyError(f"document {document_id} is still being prepared after {timeout:g} s")

    async def documents(self, *, page_size: int = 50) -> AsyncIterator[Document]:
        """The account's documents, newest first; fetches the next page when it is needed."""
        after: str | None = None
        while True:
            page = answers.decode(await self._send(requests.documents(after, page_size)), answers.DocumentPage)
            for item in page.items:
                yield item
            if (after := page.next) is None:
                return

    async def get_document(self, document_id: str) -> Document:
        return answers.decode(await self._send(requests.get_document(document_id)), Document)

    async def delete_document(self, document_id: str) -> None:
        await self._send(requests.delete_document(document_id))

    async def blocks(self, document_id: str, *, page_size: int = 100) -> AsyncIterator[Block]:
        """The document's blocks in reading order; fetches the next page when it is needed."""
        after: int | None = None
        while True:
            page = answers.decode(await self._send(requests.blocks(document_id, after, page_size)), answers.BlockPage)
            for item in page.items:
                yield item
            if (after := page.next) is None:
                return

    async def make_block_audio(
        self,
        document_id: str,
        block_id: str,
        *,
        voice: str | None = None,
        model: str | None = None,
        speed: float | None = None,
        audio_format: AudioFormat = "opus",
    ) -> float | None:
        """Has the block's audio made and kept, without fetching it. Returns its length in seconds when it is known."""
        request = requests.block_audio("HEAD", document_id, block_id, voice, model, speed, audio_format)
        return answers.seconds(await self._send(request))

    async def block_audio(
        self,
        document_id: str,
        block_id: str,
        *,
        voice: str | None = None,
        model: str | None = None,
        speed: float | None = None,
        audio_format: AudioFormat = "opus",
    ) -> bytes:
        request = requests.block_audio("GET", document_id, block_id, voice, model, speed, audio_format)
        return b"".join([chunk async for chunk in self._stream(request)])

    def stream_document_audio(
        self,
        document_id: str,
        *,
        voice: str | None = None,
        model: str | None = None,
        speed: float | None = None,
        audio_format: AudioFormat = "opus",
    ) -> AsyncGenerator[bytes, None]:
        """Yields one file with the whole document. Closing the generator stops the work on the server."""
        return self._stream(requests.document_audio(document_id, voice, model, speed, audio_format))

    async def voices(self, *, model: str | None = None, language: str | None = None) -> list[Voice]:
        return answers.decode(await self._send(requests.voices(model, language)), answers.VoiceList).items

    async def models(self) -> list[Model]:
        return answers.decode(await self._send(requests.MODELS), answers.ModelList).data

    async def status(self) -> Status:
        """Whether the server can speak now, and if not, what is missing."""
        return answers.status(await self._exchange(requests.STATUS))

    async def _send(self, request: Request) -> httpx.Response:
        response = await self._exchange(request)
        answers.check(response)
        return response

    async def _exchange(self, request: Request) -> httpx.Response:
        try:
            return await self._http.send(self._built(request))
        except httpx.RequestError as error:
            raise answers.transport_error(error, self.url) from error

    async def _stream(self, request: Request) -> AsyncGenerator[bytes, None]:
        try:
            response = await self._http.send(self._built(request), stream=True)
            try:
                if not response.is_success:
                    await response.aread()
                    answers.check(response)
                answers.check_framing(response)
                async for chunk in response.aiter_bytes():
                    yield chunk
            finally:
                await response.aclose()
        except httpx.RequestError as error:
            raise answers.transport_error(error, self.url) from error

    def _built(self, request: Request) -> httpx.Request:
        return requests.build(self._http, request, self._timeout)
