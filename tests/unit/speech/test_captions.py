"""Caption files as players read them, one segment after another."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from itertools import repeat
from typing import Any
from uuid import UUID

import pytest

from lectern.triton import Chunk
from orchestrator.lib.errors.problems import ModelFailed
from orchestrator.speech.planner.script import Origin, Script
from orchestrator.speech.response.captions import CONTENT_TYPES, CaptionFormat, captions
from orchestrator.speech.response.timeline import Timeline
from tests.unit.speech.said import RATE, WORD, chunk, segment
from tests.unit.speech.said import timeline as timeline_of
from tests.unit.speech.subtitles import Shown, read_srt, read_vtt

SECOND = RATE
READERS = {"srt": read_srt, "vtt": read_vtt}


def spoken(texts: Sequence[str], each: int = SECOND // 2) -> list[tuple[int, Chunk]]:
    """A chunk for each word, ``each`` samples long."""
    return [
        (place, chunk(each, (number * each, (number + 1) * each, *found.span())))
        for place, text in enumerate(texts)
        for number, found in enumerate(WORD.finditer(text))
    ]


def written(
    texts: Sequence[str],
    caption_format: CaptionFormat,
    *,
    chunks: Sequence[tuple[int, Chunk]] | None = None,
    blocks: Iterable[UUID | None] = repeat(None),
) -> list[str]:
    """What is sent after each segment."""

    async def all_of_it() -> list[str]:
        origins = [Origin(text=text, block=block) for text, block in zip(texts, blocks, strict=False)]
        timeline = Timeline(Script([segment(text) for text in texts], origins, 0))
        body = captions(_stream(spoken(texts) if chunks is None else chunks), timeline, caption_format)
        return [data.decode() async for data in body]

    return asyncio.run(all_of_it())


async def _stream(chunks: Sequence[tuple[int, Chunk]]) -> AsyncGenerator[tuple[int, Chunk], None]:
    for one in chunks:
        yield one


def shown(texts: Sequence[str], caption_format: CaptionFormat, **options: Any) -> list[Shown]:
    return READERS[caption_format]("".join(written(texts, caption_format, **options)))


@pytest.mark.parametrize("caption_format", READERS)
def test_cues_follow_each_other_through_all_segments(caption_format: CaptionFormat) -> None:
    found = shown(["It snowed. She left.", "“Why?” Nobody knew."], caption_format)
    assert [one.text for one in found] == ["It snowed.", "She left.", "“Why?”", "Nobody knew."]
    assert [(one.start, one.end) for one in found] == [(0.0, 1.0), (1.0, 2.0), (2.0, 2.5), (2.5, 3.5)]


def test_every_word_has_its_time_in_json() -> None:
    told = json.loads("".join(written(["It snowed.", "Why?"], "json")))
    assert told == {
        "words": [
            {"word": "It", "start": 0.0, "end": 0.5, "text_start": 0, "text_end": 2},
            {"word": "snowed", "start": 0.5, "end": 1.0, "text_start": 3, "text_end": 9},
            {"word": "Why", "start": 1.0, "end": 1.5, "text_start": 0, "text_end": 3},
        ],
        "duration": 1.5,
    }


def test_json_says_what_a_word_belongs_to() -> None:
    blocks = [UUID(int=1), UUID(int=2)]
    told = json.loads("".join(written(["It snowed.", "Why?"], "json", blocks=blocks)))
    assert [word["block"] for word in told["words"]] == [str(blocks[0]), str(blocks[0]), str(blocks[1])]


@pytest.mark.parametrize("caption_format", CONTENT_TYPES)
def test_a_segments_captions_leave_when_it_is_over(caption_format: CaptionFormat) -> None:
    parts = written(["It snowed.", "She left.", "Why?"], caption_format)
    assert len(parts) == 3
    assert ["snowed" in parts[0], "left" in parts[1], "Why" in parts[2]] == [True] * 3


@pytest.mark.parametrize("silent", [0, 1, 2])
@pytest.mark.parametrize("caption_format", CONTENT_TYPES)
def test_a_segment_without_marks_leaves_a_whole_file(caption_format: CaptionFormat, silent: int) -> None:
    texts = ["One.", "Two.", "Three."]
    chunks = [(place, chunk(SECOND) if place == silent else one) for place, one in spoken(texts)]
    data = "".join(written(texts, caption_format, chunks=chunks))
    if caption_format == "json":
        assert len(json.loads(data)["words"]) == 2
    else:
        assert len(READERS[caption_format](data)) == 2


def test_without_any_marks_the_files_are_empty_and_whole() -> None:
    chunks = [(0, chunk(SECOND))]
    assert written(["…"], "srt", chunks=chunks) == [""]
    assert written(["…"], "vtt", chunks=chunks) == ["WEBVTT\n\n"]
    assert json.loads("".join(written(["…"], "json", chunks=chunks))) == {"words": [], "duration": 1.0}


@pytest.mark.parametrize("caption_format", READERS)
def test_text_that_looks_like_a_time_is_no_time(caption_format: CaptionFormat) -> None:
    (one,) = shown(["see 00:00:01,000 --> 00:00:02,000 here"], caption_format)
    assert one.text.replace("→", "-->").replace("\n", " ") == "see 00:00:01,000 --> 00:00:02,000 here"


@pytest.mark.parametrize("caption_format", READERS)
def test_markup_and_line_breaks_in_a_text_are_text(caption_format: CaptionFormat) -> None:
    (one,) = shown(["a <b>bold</b> &amp; x\n\u2028new & old"], caption_format)
    assert one.text.replace("\n", " ") == "a <b>bold</b> &amp; x new & old"


@pytest.mark.parametrize("caption_format", READERS)
def test_hours_are_counted(caption_format: CaptionFormat) -> None:
    """100 hours at one sample a second, and a little."""
    texts = ["One.", "Two."]
    late = 360_000
    chunks = [(0, chunk(late, (0, 1, 0, 3), rate=1)), (1, chunk(3, (1, 3, 0, 3), rate=1))]
    assert [(one.start, one.end) for one in shown(texts, caption_format, chunks=chunks)] == [
        (0, 1),
        (late + 1, late + 3),
    ]


@pytest.mark.parametrize("caption_format", READERS)
def test_no_line_is_wider_than_players_show(caption_format: CaptionFormat) -> None:
    text = "这是一个没有空格的很长的句子，它必须分成几行，因为没有人能读这么宽的一行字。" * 3
    characters = [at for at, char in enumerate(text) if char not in "，。"]
    chunks = [(0, chunk(200, (200 * number, 200 * (number + 1), at, at + 1))) for number, at in enumerate(characters)]
    found = shown([text], caption_format, chunks=chunks)
    assert len(found) >= 3
    assert all(len(line) <= 21 + 1 for one in found for line in one.text.split("\n"))
    assert "".join(one.text.replace("\n", "") for one in found) == text


@pytest.mark.parametrize("caption_format", CONTENT_TYPES)
def test_a_segment_that_fails_is_not_left_out(caption_format: CaptionFormat) -> None:
    async def failing() -> AsyncGenerator[tuple[int, Chunk], None]:
        yield 0, chunk(SECOND, (0, SECOND, 0, 3))
        raise ModelFailed

    async def read() -> None:
        timeline = timeline_of([segment("One."), segment("Two.")], ["One.", "Two."])
        async with aclosing(captions(failing(), timeline, caption_format)) as body:
            async for _ in body:
                pass

    with pytest.raises(ModelFailed):
        asyncio.run(read())
