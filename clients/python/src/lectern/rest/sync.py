"""The REST client for threads."""
# Generated from aio.py by `make sync-client`.

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from types import TracebackType
from typing import Final, Self, Unpack

import httpx

from lectern.errors import ApiError, ConnectionLostError, DocumentFailedError, DocumentNotReadyError
from lectern.rest import requests, responses
from lectern.rest.connection import Connection
from lectern.rest.events import EventReader, whole_events
from lectern.rest.requests import Request
from lectern.rest.retry import Retry, polling_delays
from lectern.types import (
    Block,
    CaptionFormat,
    CustomVoice,
    Document,
    DocumentFormat,
    Job,
    Model,
    SpeechEvent,
    Status,
    Timing,
    Voice,
)
from lectern.voicing import (
    BlockAudioOptions,
    DocumentAudioOptions,
    DocumentCaptionOptions,
    Mix,
    SpeechOptions,
    Text,
    TextOptions,
    Voicing,
)

_FOLLOW_PAUSE: Final = 1.0  # seconds until a lost job is followed again


class Client:
    """Speaks to Lectern's REST API. Every method raises a LecternError when it fails.

    May be shared by threads. The default of `url` is LECTERN_URL, else the stack of this machine; that of `api_key` is
    LECTERN_API_KEY, else the key of this machine's stack. `timeout` is in seconds without a byte of the response.
    `retry_timeout` is in seconds for which requests to a busy server are sent again, as long as no audio has come;
    with 0 a busy server raises BusyError at once.

    A text is a string or a list of turns. A voicing is a Voicing, keywords (`voice="en-us"`), or both.
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
        """Returns the spoken text as an encoded file."""
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
        """Yields the file as it is made, the times of its words as they become known, and at the end the usage."""
        return self._events(requests.speech_events(text, voicing, options, timestamps=timestamps))

    def dialogue(self, text: Text, voicing: Voicing | None = None, **options: Unpack[SpeechOptions]) -> bytes:
        """Returns one encoded file of turns, or of a text with the tags [voice:NAME] and [pause:1.5s].

        The other methods take turns too, and a text with tags if `dialogue` is true.
        """
        options["dialogue"] = isinstance(text, str)
        return self.speak(text, voicing, **options)

    def captions(
        self,
        text: Text,
        voicing: Voicing | None = None,
        *,
        caption_format: CaptionFormat = "srt",
        **options: Unpack[TextOptions],
    ) -> str:
        """Returns the captions of the spoken text."""
        captions = self._whole(requests.captions(text, voicing, options, caption_format))
        return captions.decode()

    def words(self, text: Text, voicing: Voicing | None = None, **options: Unpack[TextOptions]) -> Timing:
        """Returns when each word of the text is heard."""
        words = self._whole(requests.captions(text, voicing, options, "json"))
        return responses.parsed(words, Timing, self.url)

    def create_document(
        self, text: str, *, title: str | None = None, document_format: DocumentFormat = "markdown"
    ) -> Document:
        """Returns a document that is still queued: see `wait_until_ready`."""
        return responses.decode(self._send(requests.create_document(text, title, document_format)), Document)

    def wait_until_ready(self, document_id: str, *, timeout: float = 120.0) -> Document:
        """Returns the ready document. Raises DocumentFailedError, or DocumentNotReadyError after `timeout` seconds."""
        for delay in polling_delays(timeout):
            document = self.get_document(document_id)
            if document.status == "ready":
                return document
            if document.status == "failed":
                raise DocumentFailedError(document)
            time.sleep(delay)
        raise DocumentNotReadyError(f"document {document_id} is still being prepared after {timeout:g} s")

    def documents(self, *, page_size: int = 50) -> Iterator[Document]:
        """Yields the account's documents, newest first; fetches the next page when it is needed."""
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

    def get_job(self, job_id: str) -> Job:
        return responses.decode(self._send(requests.get_job(job_id)), Job)

    def cancel_job(self, job_id: str) -> Job:
        """Cancels a queued job at once, a running one within a second: follow it to see its end."""
        return responses.decode(self._send(requests.cancel_job(job_id)), Job)

    def follow_job(self, job_id: str) -> Generator[Job, None, None]:
        """Yields the job as it is, at each change, and at its end. Connects again if the connection is lost."""
        version = 0
        while True:
            rest = b""
            try:
                with closing(self._stream(requests.job_events(job_id))) as chunks:
                    for chunk in chunks:
                        found, rest = whole_events(rest + chunk)
                        for data in found:
                            job = responses.parsed(data, Job, self.url)
                            if job.version > version:
                                version = job.version
                                yield job
                            if job.finished_at is not None:
                                return
            except ConnectionLostError:
                pass  # the next connection begins with the job as it is
            time.sleep(_FOLLOW_PAUSE)

    def blocks(self, document_id: str, *, page_size: int = 100) -> Iterator[Block]:
        """Yields the document's blocks in reading order; fetches the next page when it is needed."""
        after: int | None = None
        while True:
            page = responses.decode(self._send(requests.blocks(document_id, after, page_size)), responses.BlockPage)
            for item in page.items:
                yield item
            if (after := page.next) is None:
                return

    def make_block_audio(
        self, document_id: str, block_id: str, voicing: Voicing | None = None, **options: Unpack[BlockAudioOptions]
    ) -> float | None:
        """Has the block spoken and cached, and fetches no audio. Returns its length in seconds, None if unknown."""
        request = requests.block_audio("HEAD", document_id, block_id, voicing, options)
        try:
            return responses.seconds(self._send(request))
        except ApiError as error:
            if failure := self._failure(request, error):
                raise failure from None
            return None

    def block_audio(
        self, document_id: str, block_id: str, voicing: Voicing | None = None, **options: Unpack[BlockAudioOptions]
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
        """Returns the captions of the audio of the whole document."""
        captions = self._whole(requests.document_captions(document_id, voicing, options, caption_format))
        return captions.decode()

    def document_words(
        self, document_id: str, voicing: Voicing | None = None, **options: Unpack[DocumentCaptionOptions]
    ) -> Timing:
        """Returns when each word is heard in the audio of the whole document."""
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
        """Makes a custom voice that speaks like a recording of 3 to 30 seconds; `transcript` has its words.

        `consent` has the words in which the `speaker` agreed. An ApiError has all that is wrong in `errors`.
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
        return responses.decode(self._send(requests.create_voice(audio, fields)), CustomVoice)

    def create_mix(
        self,
        name: str,
        mix: Mix,
        *,
        language: str | None = None,
        description: str | None = None,
        model: str | None = None,
    ) -> CustomVoice:
        """Makes a custom voice of a mix of a model's voices."""
        request = requests.create_mix(name, mix, language, description, model)
        return responses.decode(self._send(request), CustomVoice)

    def get_voice(self, voice_id: str) -> CustomVoice:
        """Returns a custom voice."""
        return responses.decode(self._send(requests.get_voice(voice_id)), CustomVoice)

    def change_voice(
        self,
        voice_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        language: str | None = None,
        transcript: str | None = None,
    ) -> CustomVoice:
        """Changes a custom voice. What is None stays as it is."""
        request = requests.change_voice(voice_id, name, description, language, transcript)
        return responses.decode(self._send(request), CustomVoice)

    def delete_voice(self, voice_id: str) -> None:
        """Deletes a custom voice and its recording."""
        self._send(requests.delete_voice(voice_id))

    def voice_recording(self, voice_id: str) -> bytes:
        """Returns the recording of a custom voice, as FLAC."""
        return self._whole(requests.voice_recording(voice_id))

    def voices(self, *, model: str | None = None, language: str | None = None) -> list[Voice]:
        return responses.decode(self._send(requests.voices(model, language)), responses.VoiceList).items

    def voice_preview(self, voice: str, *, model: str | None = None) -> bytes:
        """Returns a short sample of the voice, as MP3."""
        return self._whole(requests.voice_preview(voice, model))

    def models(self) -> list[Model]:
        return responses.decode(self._send(requests.MODELS), responses.ModelList).data

    def status(self) -> Status:
        """Returns whether the server can speak now, and if not, what is missing."""
        return responses.status(self._exchange(requests.STATUS))

    def _send(self, request: Request) -> httpx.Response:
        response = self._exchange(request)
        responses.check(response)
        return response

    def _failure(self, request: Request, error: ApiError) -> ApiError | None:
        """Returns the error of a HEAD with its reason, which only GET can tell; None if the GET succeeds."""
        try:
            self._whole(replace(request, method="GET", retry=False))
        except ApiError as explained:
            return explained if explained.status == error.status else error
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
        retry = Retry(self._retry_timeout if request.retry else 0.0)
        while True:
            response = self._http.send(self._built(request), stream=stream)
            if (delay := retry.delay(response)) is None:
                return response
            response.close()
            time.sleep(delay)

    def _built(self, request: Request) -> httpx.Request:
        return requests.build(self._http, request, self._timeout)
