"""Looks at the recordings that are sent, a few at a time and apart from everything that somebody listens to."""

from typing import Final, Protocol

import msgspec

from orchestrator.audio.pcm import EMPTY, Samples
from orchestrator.lib.errors.collector import FieldErrors
from orchestrator.lib.errors.problems import BadRequest, Busy
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.lib.text_input import check_text
from orchestrator.voices.custom.examination import Heard, examine_apart, transcript_problem
from orchestrator.voices.custom.recordings import UnusableRecordingError
from orchestrator.voices.prompt import digest_of
from orchestrator.voices.settings import VoiceSettings

_LEAST_CONSENT: Final = 20  # characters: "yes" or somebody's id of something is no statement
_LONGEST_SPEAKER: Final = 200


class File(Protocol):
    async def read(self, size: int) -> bytes:
        """At most so many bytes."""


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt on its way in. ``audio_field`` is what its file is called in the request."""

    audio: File
    name: str
    transcript: str
    consent: str
    speaker: str
    language: str | None = None
    description: str = ""
    model: str | None = None
    audio_field: str = "audio"


class Examined(msgspec.Struct, frozen=True):
    samples: Samples
    digest: str
    seconds: float
    spoken_seconds: float


_NOTHING: Final = Examined(EMPTY, "", 0.0, 0.0)


class Uploads:
    def __init__(self, threads: PriorityThreads, settings: VoiceSettings) -> None:
        self._threads = threads
        self._limits = settings
        self._at_once = 0

    async def examined(self, upload: Upload, problems: FieldErrors) -> Examined:
        """What is kept of it, if there are no problems. Raises `Busy`."""
        self._check_texts(upload, problems)
        heard = await self._heard(upload, problems)
        if heard is None:
            return _NOTHING
        if upload.transcript.strip() and (
            problem := transcript_problem(upload.transcript, heard.spoken_seconds, self._limits)
        ):
            problems.add("transcript", problem)
        digest = await self._threads.run(digest_of, heard.samples)
        return Examined(heard.samples, digest, heard.seconds, heard.spoken_seconds)

    def _check_texts(self, upload: Upload, problems: FieldErrors) -> None:
        with problems.of("consent"):
            check_text(upload.consent, field="consent", limit=self._limits.max_consent)
            if len(upload.consent.strip()) < _LEAST_CONSENT:
                raise BadRequest("is no statement. Send the words in which the speaker agreed.")
        with problems.of("speaker"):
            check_text(upload.speaker, field="speaker", limit=_LONGEST_SPEAKER)
        with problems.of("transcript"):
            check_text(upload.transcript, field="transcript", limit=self._limits.max_transcript)

    async def _heard(self, upload: Upload, problems: FieldErrors) -> Heard | None:
        if self._at_once >= self._limits.uploads:
            raise Busy("Too many recordings are being looked at. Try again in some seconds.", retry_after=3)
        self._at_once += 1
        try:
            data = await upload.audio.read(self._limits.max_bytes + 1)
            if len(data) > self._limits.max_bytes:
                problems.add(
                    upload.audio_field,
                    f"has more than {self._limits.max_bytes:,} bytes, the most accepted. Send it in FLAC, or cut it.",
                )
                return None
            heard = await self._threads.run(examine_apart, data, self._limits)
        except UnusableRecordingError as error:
            problems.add(upload.audio_field, str(error))
            return None
        finally:
            self._at_once -= 1
        for problem in heard.problems:
            problems.add(upload.audio_field, problem)
        return heard
