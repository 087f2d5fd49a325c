"""Uploads of prompts: a few at a time are validated, on threads apart from those that serve listeners."""

from typing import Final, Protocol

import msgspec

from orchestrator.audio.pcm import EMPTY, Samples
from orchestrator.lib.errors.problems import BadRequest, Busy, FieldErrors
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.lib.text_input import check_text
from orchestrator.voices.custom.field_validation import transcript_problem
from orchestrator.voices.custom.recording_decoder import UnusableRecordingError
from orchestrator.voices.custom.recording_validation import ValidatedRecording, validate_in_sandbox
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


_EMPTY: Final = PromptAudio(EMPTY, "", 0.0, 0.0)


class Uploads:
    def __init__(self, threads: PriorityThreads, settings: VoiceSettings) -> None:
        self._threads = threads
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
        digest = await self._threads.run(digest_of, recording.samples)
        return PromptAudio(recording.samples, digest, recording.seconds, recording.spoken_seconds)

    def _check_texts(self, upload: Upload, problems: FieldErrors) -> None:
        with problems.collect("consent"):
            check_text(upload.consent, field="consent", limit=self._limits.max_consent)
            if len(upload.consent.strip()) < _MIN_CONSENT:
                raise BadRequest("is not a statement. Send the words in which the speaker agreed.")
        with problems.collect("speaker"):
            check_text(upload.speaker, field="speaker", limit=_MAX_SPEAKER)
        with problems.collect("transcript"):
            check_text(upload.transcript, field="transcript", limit=self._limits.max_transcript)

    async def _validate_recording(self, upload: Upload, problems: FieldErrors) -> ValidatedRecording | None:
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
            recording = await self._threads.run(validate_in_sandbox, data, self._limits)
        except UnusableRecordingError as error:
            problems.add(upload.audio_field, str(error))
            return None
        finally:
            self._active -= 1
        for problem in recording.problems:
            problems.add(upload.audio_field, problem)
        return recording
