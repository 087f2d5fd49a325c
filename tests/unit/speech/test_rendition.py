"""What is heard of a segment: its audio at a tempo, and the pause behind it."""

import asyncio
import math
from collections.abc import AsyncIterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectern.triton import Chunk, Mark
from orchestrator.audio.formats import Sound
from orchestrator.lib.errors.problems import NotFound
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.speech.cache.names import AudioName, parse_path, path_of
from orchestrator.speech.cache.segment_file import CachedAudio, Length
from orchestrator.speech.rendition import AS_MADE, Rendition
from orchestrator.speech.synthesis.synthesizer import cut_growing
from tests.unit.audio.sounds import voice

RATE = 24_000
KEY = "5a" * 32
WORDS = [Mark(2_000, 9_000, 0, 5), Mark(9_500, 30_000, 6, 11), Mark(41_000, 60_000, 12, 15)]
AUDIO = CachedAudio(voice(60_000, RATE), RATE, WORDS)


async def come(chunks: list[Chunk]) -> AsyncIterator[Chunk]:
    for chunk in chunks:
        yield chunk


def streamed(rendition: Rendition, chunks: list[Chunk]) -> list[Chunk]:
    async def collect() -> list[Chunk]:
        threads = PriorityThreads(2)
        try:
            return [chunk async for chunk in rendition.stream(come(chunks), threads, lambda: 0.0)]
        finally:
            threads.close()

    return asyncio.run(collect())


def small_chunks() -> list[Chunk]:
    """As a model may make them, some of them empty, with the words in the last."""
    cuts = [0, 100, 100, 2_400, 2_401, 30_000, 60_000]
    pieces = [AUDIO.samples[begin:end] for begin, end in pairwise(cuts)]
    return [*(Chunk(piece, RATE, []) for piece in pieces), Chunk(AUDIO.samples[:0], RATE, WORDS)]


@pytest.mark.parametrize("rendition", [AS_MADE, Rendition(1.5), Rendition(0.7, 0.25), Rendition(1.0, 1.2)])
def test_live_and_cached_audio_have_the_same_samples_and_the_length_that_is_declared(rendition: Rendition) -> None:
    live = np.concatenate([chunk.audio for chunk in streamed(rendition, small_chunks())])
    cached = np.concatenate([chunk.audio for chunk in streamed(rendition, list(cut_growing(AUDIO)))])
    assert np.array_equal(live, cached)
    assert np.array_equal(live, rendition.of(AUDIO))
    assert rendition.length(AUDIO.length) == Length(len(live), RATE)


def test_audio_as_it_was_made_passes_untouched() -> None:
    chunks = list(cut_growing(AUDIO))
    assert all(heard is chunk for heard, chunk in zip(streamed(AS_MADE, chunks), chunks, strict=True))
    assert AS_MADE.of(AUDIO) is AUDIO.samples


@pytest.mark.parametrize("encoded", [True, False])
def test_only_what_is_encoded_counts_as_the_cost_of_encoding(encoded: bool) -> None:  # noqa: FBT001
    async def throughput() -> float:
        threads = PriorityThreads(1)
        try:
            slack = (lambda: 0.0) if encoded else None
            async for _ in Rendition(0.5).stream(come(list(cut_growing(AUDIO))), threads, slack):
                pass
            threads.count_encoded(60.0)
            return threads.throughput
        finally:
            threads.close()

    assert math.isfinite(asyncio.run(throughput())) == encoded


def test_the_pause_is_silence_of_so_many_seconds_at_any_tempo() -> None:
    for tempo in (0.5, 1.0, 2.0):
        heard = Rendition(tempo, 0.5).of(AUDIO)
        silent = RATE // 2 if tempo == 1 else RATE // 8  # fast words take some of it
        assert not heard[-silent:].any()
        assert len(heard) == Rendition(tempo).length(AUDIO.length).samples + RATE // 2


@pytest.mark.parametrize("tempo", [0.5, 1.5, 2.0, 4.0])
@pytest.mark.parametrize("chunks", [small_chunks(), list(cut_growing(AUDIO))], ids=["live", "cached"])
def test_words_stay_in_order_and_within_the_audio(tempo: float, chunks: list[Chunk]) -> None:
    heard = streamed(Rendition(tempo, 0.3), chunks)
    marks = [mark for chunk in heard for mark in chunk.marks]
    assert [mark[2:] for mark in marks] == [word[2:] for word in WORDS]
    edges = [sample for mark in marks for sample in mark[:2]]
    assert edges == sorted(edges)
    assert edges[-1] <= Rendition(tempo, 0.3).length(AUDIO.length).samples


def test_words_are_told_of_before_the_audio_ends() -> None:
    heard = streamed(Rendition(2.0), list(cut_growing(AUDIO)))
    assert heard[0].marks or heard[1].marks
    assert len(heard) > 2


NAMES = {
    "as it was made": (AudioName(KEY, Sound("opus")), ".opus"),
    "at a tempo": (AudioName(KEY, Sound("opus"), Rendition(1.5)), ".1.5x.opus"),
    "at a whole tempo": (AudioName(KEY, Sound("mp3"), Rendition(2.0)), ".2x.mp3"),
    "with a pause": (AudioName(KEY, Sound("flac"), Rendition(1.0, 0.8)), ".0.8s.flac"),
    "with all": (AudioName(KEY, Sound("wav", 24_000), Rendition(0.875, 12.0)), ".0.875x.12s.24000.wav"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_says_how_it_is_heard(name: str) -> None:
    audio_name, spelled = NAMES[name]
    assert audio_name.path == f"/api/v1/audio/{KEY}{spelled}"
    assert AudioName.parse(audio_name.path.rpartition("/")[2]) == audio_name
    assert parse_path(path_of(KEY, audio_name.suffix)) == (KEY, spelled[1:])


@given(st.integers(250, 4_000), st.integers(0, 60_000), st.sampled_from([None, 8_000, 48_000]))
def test_names_and_what_they_name_are_one_to_one(tempo: int, pause: int, rate: int | None) -> None:
    name = AudioName(KEY, Sound("wav", rate), Rendition(tempo / 1_000, pause / 1_000))
    assert AudioName.parse(f"{KEY}.{name.suffix}") == name


@pytest.mark.parametrize(
    "spelled",
    ["1x.opus", "1.50x.opus", "01.5x.opus", "1.5.opus", "1.5x1s.opus", "0.8s.1.5x.opus", "0s.opus", "61s.opus",
     "0.2x.opus", "4.001x.opus", "0x.opus", "1.2345x.opus", "24000.1.5x.wav", "1.5x..opus", ".1.5x.opus", "1.5X.opus",
     "-1.5x.opus", "1e1x.opus", "1.5x.2x.opus", "1.5x.24000.opus", "1.x.opus"],
)  # fmt: skip
def test_other_spellings_name_nothing(spelled: str) -> None:
    with pytest.raises(NotFound):
        AudioName.parse(f"{KEY}.{spelled}")
