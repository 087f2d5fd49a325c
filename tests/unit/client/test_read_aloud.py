import asyncio
import io
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from lectern import ApiError, AsyncClient, ConnectionLostError, LecternError, Voicing
from lectern.read_aloud import FailedBlock, Progress, Reading, read_aloud
from tests.unit.client.bodies import BLOCKS, DOCUMENTS, audio_path, block
from tests.unit.client.fake_server import Answer, FakeServer


def read(server: FakeServer, output: io.BytesIO | None = None, **options: Any) -> Reading:
    async def run() -> Reading:
        async with AsyncClient(server.url, api_key="secret") as client:
            return await read_aloud(client, "# hello", output or io.BytesIO(), **options)

    return asyncio.run(run())


def test_the_whole_document_is_written(book: FakeServer) -> None:
    output = io.BytesIO()
    reading = read(book, output, voicing=Voicing(voice="en-us", speed=1.5))
    assert output.getvalue() == b"OggS" * 100
    assert reading.progress.blocks_done == BLOCKS
    assert reading.progress.audio_seconds == 2.0 * BLOCKS
    assert reading.progress.bytes_written == 400
    sounds = [asked for asked in book.asked if asked.path.endswith("/audio")]
    assert len(sounds) == BLOCKS + 1
    assert all(asked.query == {"voice": ["en-us"], "speed": ["1.5"], "response_format": ["opus"]} for asked in sounds)


def test_progress_is_told_in_order(book: FakeServer) -> None:
    told: list[Progress] = []
    read(book, on_progress=told.append, at_once=3)
    assert [progress.stage for progress in told][:2] == ["preparing", "speaking"]
    assert told[-1].stage == "collecting"
    speaking = [progress for progress in told if progress.stage == "speaking"]
    assert [progress.blocks_done for progress in speaking] == list(range(BLOCKS + 1))
    assert all(progress.blocks == BLOCKS for progress in speaking)
    assert all(progress.times_real_time > 0 for progress in speaking[1:])


def test_the_speed_is_that_of_the_whole_file(book: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    class SlowDisk(io.BytesIO):
        def write(self, data: Any) -> int:
            nonlocal now
            now += 3.0
            return super().write(data)

    monkeypatch.setattr(import_module("lectern.read_aloud"), "time", SimpleNamespace(monotonic=lambda: now))
    disk = SlowDisk()
    progress = read(book, disk).progress
    assert now >= 3.0
    assert progress.elapsed_seconds == now
    assert progress.times_real_time == progress.audio_seconds / now


def test_a_busy_server_is_asked_again(book: FakeServer) -> None:
    busy = Answer(503, headers={"retry-after": "0"})
    made = Answer(headers={"x-lectern-seconds": "2.0"})
    book.answer("HEAD", audio_path(3), busy, busy, made)
    assert read(book).progress.blocks_done == BLOCKS


def test_a_block_that_fails_ends_the_reading(book: FakeServer) -> None:
    book.answer("HEAD", audio_path(3), Answer(500))
    output = io.BytesIO()
    with pytest.raises(ApiError) as raised:
        read(book, output)
    assert raised.value.status == 500
    assert output.getvalue() == b""


def refusal(**more: Any) -> Answer:
    return Answer.json({"title": "Bad request", "detail": "The model refused this: it is too long.", **more}, 400)


def test_a_block_that_is_refused_is_left_out_and_told_with_the_reason(book: FakeServer) -> None:
    told: list[FailedBlock] = []
    for position in (5, 3):
        book.answer("HEAD", audio_path(position), Answer(400))
        book.answer("GET", audio_path(position), refusal())
    output = io.BytesIO()
    reading = read(book, output, on_failed=told.append)
    assert output.getvalue() == b"OggS" * 100
    assert (reading.progress.blocks_done, reading.progress.blocks) == (BLOCKS - 2, BLOCKS)
    assert [(one.number, one.block.id) for one in told] == [(4, "b3"), (6, "b5")]
    assert reading.failed == told
    assert "too long" in str(told[0].error)
    whole = [asked for asked in book.asked if asked.path == f"{DOCUMENTS}/d1/audio"]
    assert [asked.query for asked in whole] == [{"response_format": ["opus"]}]


def test_a_block_that_the_model_fails_at_is_skipped_in_the_whole(book: FakeServer) -> None:
    book.answer("HEAD", audio_path(3), Answer(502))
    book.answer("GET", audio_path(3), Answer(body=b"Og", framing="chunked-cut"))
    reading = read(book)
    assert [(one.number, one.error.status) for one in reading.failed] == [(4, 502)]
    assert reading.skip == "failed"
    assert book.asked[-1].query == {"response_format": ["opus"], "skip": ["failed"]}


def test_a_block_that_works_the_second_time_is_no_failure(book: FakeServer) -> None:
    book.answer("HEAD", audio_path(3), Answer(502))
    book.answer("GET", audio_path(3), Answer(body=b"OggS", framing="chunked"))
    reading = read(book)
    assert (list(reading.failed), reading.progress.blocks_done) == ([], BLOCKS)


def test_if_no_block_can_be_spoken_the_first_reason_ends_the_reading(book: FakeServer) -> None:
    told: list[FailedBlock] = []
    for position in range(BLOCKS):
        book.answer("HEAD", audio_path(position), Answer(400))
        book.answer("GET", audio_path(position), refusal(detail=f"Number {position} is too long."))
    with pytest.raises(ApiError, match="Number 0 is too long"):
        read(book, on_failed=told.append)
    assert told == []


def test_what_is_wrong_with_the_request_ends_the_reading_at_once(book: FakeServer) -> None:
    errors = [{"field": "query.voice", "message": "unknown voice 'x'"}]
    book.answer("HEAD", audio_path(3), Answer(400))
    book.answer("GET", audio_path(3), refusal(errors=errors))
    with pytest.raises(ApiError, match="unknown voice"):
        read(book)


def test_a_cut_download_is_an_error(book: FakeServer) -> None:
    book.answer("GET", f"{DOCUMENTS}/d1/audio", Answer(body=b"OggS", framing="chunked-cut"))
    with pytest.raises(ConnectionLostError):
        read(book)


def test_a_document_without_speech(book: FakeServer) -> None:
    book.answer("GET", f"{DOCUMENTS}/d1/blocks", Answer.json({"items": [block(0, spoken="")], "next": None}))
    with pytest.raises(LecternError, match="nothing that is read aloud"):
        read(book)
