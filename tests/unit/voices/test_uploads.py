"""Uploads of recordings: how many at once, how large, and that everything that is wrong is collected."""

import asyncio
from typing import Any

import msgspec
import pytest

from orchestrator.lib.errors.problems import BadRequest, Busy, FieldErrors
from orchestrator.lib.sandbox.sandbox import Limits, Sandbox
from orchestrator.voices.custom.recording_validation import RATE, UploadedRecording, validate_upload
from orchestrator.voices.custom.uploads import Upload, Uploads
from orchestrator.voices.settings import VoiceSettings
from orchestrator.voices.voice import digest_of
from tests import covers
from tests.covers import flac_with_tags
from tests.recordings import CONSENT, TRANSCRIPT, file, silence, tone, with_subtitles

pytestmark = pytest.mark.anyio

LIMITS = VoiceSettings(uploads=2)


class Content:
    """A file that says how much of it was asked for."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.asked = 0

    async def read(self, size: int) -> bytes:
        self.asked = size
        return self._data[:size]


def upload(data: bytes | None = None, **changes: Any) -> Upload:
    content = Content(file(tone()) if data is None else data)
    fields = {"name": "Ada", "transcript": TRANSCRIPT, "consent": CONSENT, "speaker": "Ada Lovelace"}
    return Upload(**{"audio": content, **fields, **changes})


def told(problems: FieldErrors) -> list[str]:
    with pytest.raises(BadRequest) as raised:
        problems.raise_if_any()
    assert all(f"'{one.field}' {one.message}." in raised.value.detail for one in raised.value.errors)
    return [one.field for one in raised.value.errors]


async def test_the_digest_is_that_of_the_samples(sandbox: Sandbox) -> None:
    problems = FieldErrors()
    audio = await Uploads(sandbox, LIMITS).validate(upload(), problems)
    problems.raise_if_any()
    assert audio.digest == digest_of(audio.samples)
    assert audio.seconds == pytest.approx(5, abs=0.1)
    assert len(audio.samples) / RATE == pytest.approx(audio.seconds, abs=0.001)
    again = await Uploads(sandbox, LIMITS).validate(upload(), problems)
    assert again.digest == audio.digest


async def test_all_that_is_wrong_is_collected(sandbox: Sandbox) -> None:
    problems = FieldErrors()
    faulty = upload(b"no audio", transcript="", consent="cons_1", speaker="\x07", audio_field="audio_sample")
    await Uploads(sandbox, LIMITS).validate(faulty, problems)
    assert told(problems) == ["consent", "speaker", "transcript", "audio_sample"]


async def test_a_file_that_takes_too_long_to_open_is_refused_and_holds_nobody_up(sandbox: Sandbox) -> None:
    sound = file(tone(), container="flac", codec="flac")
    uploads = Uploads(sandbox, msgspec.structs.replace(LIMITS, decode_seconds=1.0))
    problems = FieldErrors()
    await uploads.validate(upload(flac_with_tags(200_000, sound)), problems)
    with pytest.raises(BadRequest, match="more memory or time to open than it may") as refused:
        problems.raise_if_any()
    assert [one.field for one in refused.value.errors] == ["audio"]
    following = FieldErrors()
    assert len((await uploads.validate(upload(flac_with_tags(10, sound)), following)).samples)
    following.raise_if_any()


async def test_no_more_is_read_than_may_be(sandbox: Sandbox) -> None:
    problems = FieldErrors()
    large = upload(bytes(5_000))
    await Uploads(sandbox, msgspec.structs.replace(LIMITS, max_bytes=2_000)).validate(large, problems)
    assert told(problems) == ["audio"]
    assert isinstance(large.audio, Content)
    assert large.audio.asked == 2_001


async def test_a_few_are_validated_and_others_are_refused(sandbox: Sandbox) -> None:
    slow = upload(flac_with_tags(200_000, file(tone(), container="flac", codec="flac")))
    uploads = Uploads(sandbox, LIMITS)
    first, second = (asyncio.ensure_future(uploads.validate(one, FieldErrors())) for one in (slow, upload()))
    await asyncio.sleep(0)  # they begin
    with pytest.raises(Busy) as raised:
        await uploads.validate(upload(), FieldErrors())
    assert raised.value.retry_after
    first.cancel()  # a request that ends makes room
    await asyncio.wait([first])
    third = await uploads.validate(upload(), FieldErrors())
    assert third.digest == (await second).digest


def recordings() -> dict[str, bytes]:
    containers = {
        "wav": "pcm_s16le",
        "flac": "flac",
        "mp3": "libmp3lame",
        "ogg": "libopus",
        "mp4": "aac",
        "adts": "aac",
    }
    covered = {
        f"{kind} with a cover": with_cover(covers.png(16_000), file(tone(), container=container, codec=codec))
        for kind, (container, codec, with_cover) in covers.WAYS.items()
    }
    return {
        **{
            name: file(tone(rate=48_000), rate=48_000, container=name, codec=codec)
            for name, codec in containers.items()
        },
        **covered,
        "webm": file(tone(), container="webm", codec="libopus", rate=48_000),
        "quiet": file(tone(level=0.003)),
        "empty": b"",
        "a third of a file": file(tone(), container="flac", codec="flac")[:20_000],
        "a film": file(tone(), container="matroska", video="mpeg4"),
        "100 streams": file(*[tone(seconds=0.1)] * 100, container="matroska"),
        "with subtitles": with_subtitles(),
        "a small file of hours": file(silence(3_600), container="flac", codec="flac"),
    }


async def test_the_sandbox_says_what_would_be_said_outside(sandbox: Sandbox) -> None:
    """Nothing that reads a file may load a module or start a thread only then."""
    for name, data in recordings().items():
        inside = await sandbox.run(validate_upload, UploadedRecording(data, LIMITS), Limits())
        assert inside == validate_upload(UploadedRecording(data, LIMITS)), name
        assert inside.samples or inside.refused or inside.problems, name
