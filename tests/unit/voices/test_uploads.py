"""Uploads of recordings: how many at once, how large, and that everything that is wrong is collected."""

import asyncio
import threading
from typing import Any

import msgspec
import pytest

from orchestrator.lib.errors.problems import BadRequest, Busy, FieldErrors
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.voices.custom.recording_validation import RATE
from orchestrator.voices.custom.uploads import Upload, Uploads
from orchestrator.voices.settings import VoiceSettings
from orchestrator.voices.voice import digest_of
from tests.covers import flac_with_tags
from tests.recordings import CONSENT, TRANSCRIPT, file, tone

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


async def test_the_digest_is_that_of_the_samples(threads: PriorityThreads) -> None:
    problems = FieldErrors()
    audio = await Uploads(threads, LIMITS).validate(upload(), problems)
    problems.raise_if_any()
    assert audio.digest == digest_of(audio.samples)
    assert audio.seconds == pytest.approx(5, abs=0.1)
    assert len(audio.samples) / RATE == pytest.approx(audio.seconds, abs=0.001)
    again = await Uploads(threads, LIMITS).validate(upload(), problems)
    assert again.digest == audio.digest


async def test_all_that_is_wrong_is_collected(threads: PriorityThreads) -> None:
    problems = FieldErrors()
    faulty = upload(b"no audio", transcript="", consent="cons_1", speaker="\x07", audio_field="audio_sample")
    await Uploads(threads, LIMITS).validate(faulty, problems)
    assert told(problems) == ["consent", "speaker", "transcript", "audio_sample"]


async def test_a_file_that_takes_too_long_to_open_is_refused_and_holds_nobody_up(threads: PriorityThreads) -> None:
    sound = file(tone(), container="flac", codec="flac")
    uploads = Uploads(threads, msgspec.structs.replace(LIMITS, decode_seconds=1.0))
    problems = FieldErrors()
    await uploads.validate(upload(flac_with_tags(200_000, sound)), problems)
    with pytest.raises(BadRequest, match="more memory or time to open than it may") as refused:
        problems.raise_if_any()
    assert [one.field for one in refused.value.errors] == ["audio"]
    following = FieldErrors()
    assert len((await uploads.validate(upload(flac_with_tags(10, sound)), following)).samples)
    following.raise_if_any()


async def test_no_more_is_read_than_may_be(threads: PriorityThreads) -> None:
    problems = FieldErrors()
    large = upload(bytes(5_000))
    await Uploads(threads, msgspec.structs.replace(LIMITS, max_bytes=2_000)).validate(large, problems)
    assert told(problems) == ["audio"]
    assert isinstance(large.audio, Content)
    assert large.audio.asked == 2_001


async def test_a_few_are_validated_and_others_are_refused(threads: PriorityThreads) -> None:
    held = threading.Event()
    blocking = asyncio.ensure_future(threads.run(held.wait, 30))
    uploads = Uploads(threads, LIMITS)
    waiting = [asyncio.ensure_future(uploads.validate(upload(), FieldErrors())) for _ in range(2)]
    await asyncio.sleep(0)  # they begin
    with pytest.raises(Busy) as raised:
        await uploads.validate(upload(), FieldErrors())
    assert raised.value.retry_after
    waiting[1].cancel()  # a request that ends makes room
    await asyncio.wait([waiting[1]])
    third = asyncio.ensure_future(uploads.validate(upload(), FieldErrors()))
    held.set()
    await asyncio.gather(blocking, waiting[0], third)
