"""Uploads of prompts: a few at a time are validated, in the sandbox."""

import asyncio
from typing import Final, Protocol

import msgspec
import structlog

from orchestrator.audio.pcm import EMPTY, Samples, samples_from_bytes
from orchestrator.lib.errors.problems import BadRequest, Busy, FieldErrors
from orchestrator.lib.sandbox.sandbox import Limits, OverLimitError, Sandbox
from orchestrator.lib.text_input import check_text
from orchestrator.voices.custom.field_validation import transcript_problem
from orchestrator.voices.custom.recording_validation import RecordingVerdict, UploadedRecording, validate_upload
from orchestrator.voices.settings import VoiceSettings
from orchestrator.voices.voice import digest_of

_MIN_CONSENT: Final = 20  # characters: "yes" or the id of a consent recording is not a statement
_MAX_SPEAKER: Final = 200  # characters


class File(Protocol):
    async def read(self, size: int) -> bytes:
        """Reads at most ``size`` bytes."""


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt as it was sent. ``audio_field`` is the name of its file in the request."""

    audio: File
    name: str
    transcript: str
    consent: str
    speaker: str
    language: str | None = None
    description: str = ""
    model: str | None = None
    audio_field: str = "audio"


class PromptAudio(msgspec.Struct, frozen=True):
    """The part of an upload that is stored."""

    samples: Samples
    digest: str
    seconds: float
    spoken_seconds: float  # without pauses


log = structlog.stdlib.get_logger("lectern.voices")

_EMPTY: Final = PromptAudio(EMPTY, "", 0.0, 0.0)


class Uploads:
    def __init__(self, sandbox: Sandbox, settings: VoiceSettings) -> None:
        """``sandbox`` runs `validate_upload`."""
        self._sandbox = sandbox
        self._limits = settings
        self._active = 0

    async def validate(self, upload: Upload, problems: FieldErrors) -> PromptAudio:
        """Adds to ``problems`` what is wrong, and returns the audio, valid if there are none. Raises `Busy`."""
        self._check_texts(upload, problems)
        recording = await self._validate_recording(upload, problems)
        if recording is None:
            return _EMPTY
        if upload.transcript.strip() and (
            problem := transcript_problem(upload.transcript, recording.spoken_seconds, self._limits)
        ):
            problems.add("transcript", problem)
        samples = samples_from_bytes(recording.samples)
        # Not in the sandbox: who takes it over must not choose the digest, which selects cached audio.
        digest = await asyncio.to_thread(digest_of, samples)
        return PromptAudio(samples, digest, recording.seconds, recording.spoken_seconds)

    def _check_texts(self, upload: Upload, problems: FieldErrors) -> None:
        with problems.collect("consent"):
            check_text(upload.consent, field="consent", limit=self._limits.max_consent)
            if len(upload.consent.strip()) < _MIN_CONSENT:
                raise BadRequest("is not a statement. Send the words in which the speaker agreed.")
        with problems.collect("speaker"):
            check_text(upload.speaker, field="speaker", limit=_MAX_SPEAKER)
        with problems.collect("transcript"):
            check_text(upload.transcript, field="transcript", limit=self._limits.max_transcript)

    async def _validate_recording(self, upload: Upload, problems: FieldErrors) -> RecordingVerdict | None:
        if self._active >= self._limits.uploads:
            raise Busy("Too many recordings are being validated. Try again in some seconds.", retry_after=3)
        self._active += 1
        try:
            data = await upload.audio.read(self._limits.max_bytes + 1)
            if len(data) > self._limits.max_bytes:
                problems.add(
                    upload.audio_field,
                    f"has more than {self._limits.max_bytes:,} bytes, the most accepted. Send it in FLAC, or cut it.",
                )
                return None
            recording = await self._run(data)
        finally:
            self._active -= 1
        if recording.refused:
            problems.add(upload.audio_field, recording.refused)
            return None
        for problem in recording.problems:
            problems.add(upload.audio_field, problem)
        return recording

    async def _run(self, data: bytes) -> RecordingVerdict:
        limits = Limits(memory=self._limits.decode_memory, seconds=self._limits.decode_seconds)
        try:
            return await self._sandbox.run(validate_upload, UploadedRecording(data, self._limits), limits)
        except OverLimitError as error:
            log.warning("a recording could not be validated", error=str(error), size=len(data))
            return RecordingVerdict(
                refused="takes more memory or time to open than it may. Send the sound alone, as WAV or FLAC, without"
                " a cover and other tags."
            )
