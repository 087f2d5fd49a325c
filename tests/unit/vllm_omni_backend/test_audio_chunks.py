import numpy as np
import pytest

from lectern_triton.higgs_engine.messages import RATE
from lectern_triton.vllm_omni_backend.audio_chunks import FIRST, LONGEST, Chunker
from lectern_triton.vllm_omni_backend.voice import frame_limit
from lectern_triton.voice_backend.voice import BadRequest, Chunk


def cut(made: list[int]) -> list[Chunk]:
    chunks = Chunker()
    found: list[Chunk] = []
    for count in made:
        found += chunks.feed(np.full(count, 7, "<i2").tobytes())
    return found


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ([960, 2_400], [960, 2_400]),
        ([5 * RATE], [FIRST, LONGEST, LONGEST, LONGEST, LONGEST, LONGEST - FIRST]),
        ([FIRST, LONGEST + 1], [FIRST, LONGEST, 1]),
        ([], []),
    ],
)
def test_chunks_are_small_at_first_and_never_long(made: list[int], expected: list[int]) -> None:
    chunks = cut(made)
    assert [chunk.audio.size for chunk in chunks] == expected
    assert all(chunk.audio.dtype == np.int16 for chunk in chunks)


def test_a_longer_text_may_take_longer() -> None:
    assert frame_limit("a" * 100, 5, 10_000) == 550
    assert frame_limit("a" * 100, 10, 10_000) == 1_050


def test_digits_symbols_and_syllables_may_take_a_word_each() -> None:
    assert frame_limit("1234567890", 5, 10_000) == frame_limit("あいうえおかきくけこ", 5, 10_000) == 250


def test_the_models_own_limit_holds() -> None:
    assert frame_limit("a" * 900, 5, 1_024) == 1_024


def test_a_text_that_nobody_could_say_in_that_time_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"1025 characters long, and this model speaks 41 s at most"):
        frame_limit("a" * 1_025, 5, 1_024)


def test_speech_of_any_usual_speed_fits() -> None:
    """Ten letters a second is slow: the cap leaves twice as much."""
    for text in ("The old lighthouse keeper climbed one hundred and twelve steps every evening.", "Ja."):
        assert frame_limit(text, 5, 10_000) / 25 > 2 * len(text) / 10
