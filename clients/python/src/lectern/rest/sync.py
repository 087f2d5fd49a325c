"""The REST client for threads."""
# Generated from aio.py by `make sync-client`.

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from types import TracebackType
from typing import Self, Unpack

import httpx

from lectern.errors import ApiError, ConnectionLostError, DocumentFailedError, DocumentNotReadyError
from lectern.rest import requests, responses, voice_requests
from lectern.rest.connection import Connection
from lectern.rest.events import EventReader
from lectern.rest.requests import Request
from lectern.rest.retry import Retry, polling_delays
from lectern.types import (
    Block,
    CaptionFormat,
    CustomVoice,
    Document,
    DocumentFormat,
    Model,
    SpeechEvent,
    Status,
    Timing,
    Voice,
)
from lectern.voicing import (
    DocumentAudioOptions,
    DocumentCaptionOptions,
    DocumentOptions,
    Mix,
    SpeechOptions,
    Text,
    TextOptions,
    Voicing,
)


class Client:
    """Speaks to Lectern's REST API. Every method raises a LecternError when it fails.

    May be shared by threads. Without `url` the server is LECTERN_URL, else the stack of this machine; without
    `api_key` the key is LECTERN_API_KEY, else the one of this machine's stack. `timeout` is in seconds without a
    byte of the answer. `retry_timeout` is for how many seconds a server that is busy is asked again, as long as it has
    answered nothing else; with 0 a BusyError comes at once.

    A text is a string or a list of turns. Its voicing is given as a Voicing, as keywords (`voice="en-us"`), or as both.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 30.0,
        retry_timeout: float = 30.0,
    ) -> None:
        connection = Connection.find(url, api_key)
        self.url = connection.url
        self._timeout = timeout
        self._retry_timeout = retry_timeout
        self._http = httpx.Client(**connection.options(timeout))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def speak(self, text: Text, voicing: Voicing | None = None, **options: Unpack[SpeechOptions]) -> bytes:
        """The whole spoken text as an encoded file."""
        return self._whole(requests.speech(text, voicing, options))

    def stream_speech(
        self, text: Text, voicing: Voicing | None = None, **options: Unpack[SpeechOptions]
    ) -> Generator[bytes, None, None]:
        """Yields the file as it is made. Closing the generator stops the work on the server."""
        return self._stream(requests.speech(text, voicing, options))

    def speak_events(
        self,
        text: Text,
        voicing: Voicing | None = None,
        *,
        timestamps: bool = True,
        **options: Unpack[SpeechOptions],
    ) -> Generator[SpeechEvent, None, None]:
        """Yields the file as it is made, the times of its words as they become known, and at the end what it took."""
        return self._events(requests.speech_events(text, voicing, options, timestamps=timestamps))

    def dialogue(self, script: Text, voicing: Voicing | None = None, **options: Unpack[SpeechOptions]) -> bytes:
        """Turns, or a text with the marks [voice:NAME] and [pause:1.5s], as one encoded file.

        The other methods take turns too, and marks if they are told `dialogue=True`.
        """
        options["dialogue"] = isinstance(script, str)
        return self.speak(script, voicing, **options)

    def captions(
        self,
        text: Text,
        voicing: Voicing | None = None,
        *,
        caption_format: CaptionFormat = "srt",
        **options: Unpack[TextOptions],
    ) -> str:
        """The file of captions that goes with the spoken text."""
        captions = self._whole(requests.captions(text, voicing, options, caption_format))
        return captions.decode()

    def words(self, text: Text, voicing: Voicing | None = None, **options: Unpack[TextOptions]) -> Timing:
        """When each word of the text is heard."""
        words = self._whole(requests.captions(text, voicing, options, "json"))
        return responses.parsed(words, Timing, self.url)

    def create_document(
        self, text: str, *, title: str | None = None, document_format: DocumentFormat = "markdown"
    ) -> Document:
        """The document is still queued: see `wait_until_ready`."""
        return responses.decode(self._send(requests.create_document(text, title, document_format)), Document)

    def wait_until_ready(self, document_id: str, *, timeout: float = 120.0) -> Document:
        """Raises DocumentFailedError, or DocumentNotReadyError after `timeout` seconds."""
        for delay in polling_delays(timeout):
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
            page = responses.decode(self._send(requests.documents(after, page_size)), responses.DocumentPage)
            for item in page.items:
                yield item
            if (after := page.next) is None:
                return

    def get_document(self, document_id: str) -> Document:
        return responses.decode(self._send(requests.get_document(document_id)), Document)

    def delete_document(self, document_id: str) -> None:
        self._send(requests.delete_document(document_id))

    def blocks(self, document_id: str, *, page_size: int = 100) -> Iterator[Block]:
        """The document's blocks in reading order; fetches the next page when it is needed."""
        after: int | None = None
        while True:
            page = responses.decode(self._send(requests.blocks(document_id, after, page_size)), responses.BlockPage)
            for item in page.items:
                yield item
            if (after := page.next) is None:
                return

    def make_block_audio(
        self, document_id: str, block_id: str, voicing: Voicing | None = None, **options: Unpack[DocumentOptions]
    ) -> float | None:
        """Has the block's audio made and kept, without fetching it. Returns its length in seconds when it is known."""
        asked = requests.block_audio("HEAD", document_id, block_id, voicing, options)
        try:
            return responses.seconds(self._send(asked))
        except ApiError as error:
            if failure := self._failure(asked, error):
                raise failure from None
            return None

    def block_audio(
        self, document_id: str, block_id: str, voicing: Voicing | None = None, **options: Unpack[DocumentOptions]
    ) -> bytes:
        return self._whole(requests.block_audio("GET", document_id, block_id, voicing, options))

    def stream_document_audio(
        self, document_id: str, voicing: Voicing | None = None, **options: Unpack[DocumentAudioOptions]
    ) -> Generator[bytes, None, None]:
        """Yields one file with the whole document. Closing the generator stops the work on the server."""
        return self._stream(requests.document_audio(document_id, voicing, options))

    def document_captions(
        self,
        document_id: str,
        voicing: Voicing | None = None,
        *,
        caption_format: CaptionFormat = "srt",
        **options: Unpack[DocumentCaptionOptions],
    ) -> str:
        """The file of captions that goes with the audio of the whole document."""
        captions = self._whole(requests.document_captions(document_id, voicing, options, caption_format))
        return captions.decode()

    def document_words(
        self, document_id: str, voicing: Voicing | None = None, **options: Unpack[DocumentCaptionOptions]
    ) -> Timing:
        """When each word is heard in the audio of the whole document."""
        words = self._whole(requests.document_captions(document_id, voicing, options, "json"))
        return responses.parsed(words, Timing, self.url)

    def create_voice(
        self,
        audio: bytes,
        *,
        name: str,
        transcript: str,
        consent: str,
        speaker: str,
        language: str | None = None,
        description: str | None = None,
        model: str | None = None,
    ) -> CustomVoice:
        """A voice that speaks like a recording of 3 to 30 seconds, whose words are the `transcript`.

        `consent` has the words in which the `speaker` agreed to it. An ApiError tells all that is wrong in `errors`.
        """
        fields = {
            "name": name,
            "transcript": transcript,
            "consent": consent,
            "speaker": speaker,
            "language": language,
            "description": description,
            "model": model,
        }
        return responses.decode(self._send(voice_requests.create(audio, fields)), CustomVoice)

    def create_mix(
        self,
        name: str,
        mix: Mix,
        *,
        language: str | None = None,
        description: str | None = None,
        model: str | None = None,
    ) -> CustomVoice:
        """Keeps a mix of a model's voices under a name."""
        request = voice_requests.create_mix(name, mix, language, description, model)
        return responses.decode(self._send(request), CustomVoice)

    def get_voice(self, voice_id: str) -> CustomVoice:
        """A voice of one's own."""
        return responses.decode(self._send(voice_requests.get(voice_id)), CustomVoice)

    def change_voice(
        self,
        voice_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        language: str | None = None,
        transcript: str | None = None,
    ) -> CustomVoice:
        """What is None stays as it is."""
        request = voice_requests.change(voice_id, name, description, language, transcript)
        return responses.decode(self._send(request), CustomVoice)

    def delete_voice(self, voice_id: str) -> None:
        """Deletes a voice of one's own, and its recording."""
        self._send(voice_requests.delete(voice_id))

    def voice_recording(self, voice_id: str) -> bytes:
        """What a voice of one's own speaks like, as FLAC."""
        return self._whole(voice_requests.recording(voice_id))

    def voices(self, *, model: str | None = None, language: str | None = None) -> list[Voice]:
        return responses.decode(self._send(voice_requests.voices(model, language)), responses.VoiceList).items

    def voice_preview(self, voice: str, *, model: str | None = None) -> bytes:
        """A short sample of the voice, as MP3."""
        return self._whole(voice_requests.preview(voice, model))

    def models(self) -> list[Model]:
        return responses.decode(self._send(requests.MODELS), responses.ModelList).data

    def status(self) -> Status:
        """Whether the server can speak now, and if not, what is missing."""
        return responses.status(self._exchange(requests.STATUS))

    def _send(self, request: Request) -> httpx.Response:
        response = self._exchange(request)
        responses.check(response)
        return response

    def _failure(self, asked: Request, error: ApiError) -> ApiError | None:
        """The error of a HEAD with its reason, which GET alone can tell; None if GET does what was asked."""
        try:
            self._whole(replace(asked, method="GET", repeat=False))
        except ApiError as told:
            return told if told.status == error.status else error
        except ConnectionLostError:  # it failed in the middle, where nobody can say why
            return error
        return None

    def _exchange(self, request: Request) -> httpx.Response:
        try:
            return self._open(request, stream=False)
        except httpx.RequestError as error:
            raise responses.transport_error(error, self.url) from error

    def _whole(self, request: Request) -> bytes:
        return b"".join([chunk for chunk in self._stream(request)])

    def _stream(self, request: Request) -> Generator[bytes, None, None]:
        try:
            response = self._open(request, stream=True)
            try:
                if not response.is_success:
                    response.read()
                    responses.check(response)
                responses.check_stream(response, request.content_type)
                for chunk in response.iter_bytes():
                    yield chunk
            finally:
                response.close()
        except httpx.RequestError as error:
            raise responses.transport_error(error, self.url) from error

    def _events(self, request: Request) -> Generator[SpeechEvent, None, None]:
        reader = EventReader(self.url)
        with closing(self._stream(request)) as chunks:
            for chunk in chunks:
                for event in reader.feed(chunk):
                    yield event
        reader.end()

    def _open(self, request: Request, *, stream: bool) -> httpx.Response:
        retry = Retry(self._retry_timeout if request.repeat else 0.0)
        while True:
            response = self._http.send(self._built(request), stream=stream)
            if (delay := retry.delay(response)) is None:
                return response
            response.close()
            time.sleep(delay)

    def _built(self, request: Request) -> httpx.Request:
        return requests.build(self._http, request, self._timeout)
