"""The REST client for threads. Keep in step with `aio`, its twin."""

import time
from collections.abc import Generator, Iterator
from types import TracebackType
from typing import Self

import httpx

from lectern.errors import DocumentFailedError, DocumentNotReadyError
from lectern.rest import answers, requests
from lectern.rest.connection import Connection
from lectern.rest.polling import delays
from lectern.rest.requests import Request
from lectern.types import AudioFormat, Block, Document, DocumentFormat, Model, Status, Voice


class Client:
    """Speaks to Lectern's REST API. Every method raises a LecternError when it fails.

    May be shared by threads. Without `url` the server is LECTERN_URL, else the stack of this machine; without
    `api_key` the key is LECTERN_API_KEY, else the one of this machine's stack. `timeout` is in seconds without a
    byte of the answer.
    """

    def __init__(self, url: str | None = None, *, api_key: str | None = None, timeout: float = 30.0) -> None:
        connection = Connection.find(url, api_key)
        self.url = connection.url
        self._timeout = timeout
        self._http = httpx.Client(**connection.options(timeout))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def speak(
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
        return b"".join(chunks)

    def stream_speech(
        self,
        text: str,
        *,
        voice: str | None = None,
        model: str | None = None,
        speed: float | None = None,
        audio_format: AudioFormat = "opus",
    ) -> Generator[bytes, None, None]:
        """Yields the file as it is made. Closing the generator stops the work on the server."""
        return self._stream(requests.speech(text, voice, model, speed, audio_format))

    def create_document(
        self, text: str, *, title: str | None = None, document_format: DocumentFormat = "markdown"
    ) -> Document:
        """The document is still queued: see `wait_until_ready`."""
        return answers.decode(self._send(requests.create_document(text, title, document_format)), Document)

    def wait_until_ready(self, document_id: str, *, timeout: float = 120.0) -> Document:
        """Raises DocumentFailedError, or DocumentNotReadyError after `timeout` seconds."""
        for delay in delays(timeout):
            document = self.get_document(document_id)
            if document.status == "ready":
                return document
            if document.status == "failed":
                raise DocumentFailedError(document)
            time.sleep(delay)
        raise DocumentNotReadyError(f"document {document_id} is still being prepared after {timeout:g} s")

    def documents(self, *, page_size: int = 50) -> Iterator[Document]:
        """The account's documents, newest first; fetches the next page when it is needed."""
        after: str | None = None
        while True:
            page = answers.decode(self._send(requests.documents(after, page_size)), answers.DocumentPage)
            yield from page.items
            if (after := page.next) is None:
                return

    def get_document(self, document_id: str) -> Document:
        return answers.decode(self._send(requests.get_document(document_id)), Document)

    def delete_document(self, document_id: str) -> None:
        self._send(requests.delete_document(document_id))

    def blocks(self, document_id: str, *, page_size: int = 100) -> Iterator[Block]:
        """The document's blocks in reading order; fetches the next page when it is needed."""
        after: int | None = None
        while True:
            page = answers.decode(self._send(requests.blocks(document_id, after, page_size)), answers.BlockPage)
            yield from page.items
            if (after := page.next) is None:
                return

    def make_block_audio(
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
        return answers.seconds(self._send(request))

    def block_audio(
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
        return b"".join(self._stream(request))

    def stream_document_audio(
        self,
        document_id: str,
        *,
        voice: str | None = None,
        model: str | None = None,
        speed: float | None = None,
        audio_format: AudioFormat = "opus",
    ) -> Generator[bytes, None, None]:
        """Yields one file with the whole document. Closing the generator stops the work on the server."""
        return self._stream(requests.document_audio(document_id, voice, model, speed, audio_format))

    def voices(self, *, model: str | None = None, language: str | None = None) -> list[Voice]:
        return answers.decode(self._send(requests.voices(model, language)), answers.VoiceList).items

    def models(self) -> list[Model]:
        return answers.decode(self._send(requests.MODELS), answers.ModelList).data

    def status(self) -> Status:
        """Whether the server can speak now, and if not, what is missing."""
        return answers.status(self._exchange(requests.STATUS))

    def _send(self, request: Request) -> httpx.Response:
        response = self._exchange(request)
        answers.check(response)
        return response

    def _exchange(self, request: Request) -> httpx.Response:
        try:
            return self._http.send(self._built(request))
        except httpx.RequestError as error:
            raise answers.transport_error(error, self.url) from error

    def _stream(self, request: Request) -> Generator[bytes, None, None]:
        try:
            response = self._http.send(self._built(request), stream=True)
            try:
                if not response.is_success:
                    response.read()
                    answers.check(response)
                answers.check_framing(response)
                yield from response.iter_bytes()
            finally:
                response.close()
        except httpx.RequestError as error:
            raise answers.transport_error(error, self.url) from error

    def _built(self, request: Request) -> httpx.Request:
        return requests.build(self._http, request, self._timeout)
