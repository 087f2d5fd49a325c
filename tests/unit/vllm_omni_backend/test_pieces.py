import numpy as np
import pytest

from lectern_triton.higgs_engine.wire import RATE
from lectern_triton.vllm_omni_backend.frames import most_frames
from lectern_triton.vllm_omni_backend.pieces import FIRST, LONGEST, Pieces
from lectern_triton.voice_backend.protocol import BadRequest, Chunk

TEXT = "Three small words."


def cut(made: list[int], speed: float = 1.0, text: str = TEXT) -> list[Chunk]:
    pieces = Pieces(text, speed)
    found: list[Chunk] = []
    for count in made:
        found += pieces.of(np.full(count, 7, "<i2").tobytes())
    return [*found, *pieces.last()]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ([960, 2_400], [960, 2_400, 0]),
        ([5 * RATE], [FIRST, LONGEST, LONGEST, LONGEST, LONGEST, LONGEST - FIRST, 0]),
        ([FIRST, LONGEST + 1], [FIRST, LONGEST, 1, 0]),
        ([], [0]),
    ],
)
def test_pieces_are_small_at_first_and_never_long(made: list[int], expected: list[int]) -> None:
    pieces = cut(made)
    assert [piece.audio.size for piece in pieces] == expected
    assert all(piece.audio.dtype == np.int16 for piece in pieces)


def test_the_marks_come_last_and_share_the_whole() -> None:
    *audio, last = cut([RATE])
    assert not any(piece.marks for piece in audio)
    assert [mark[2:] for mark in last.marks] == [(0, 5), (6, 11), (12, 17)]
    assert last.marks[0][0] == 0
    assert last.marks[-1][1] == RATE


@pytest.mark.parametrize("speed", [0.25, 0.5, 2.0, 4.0])
def test_another_speed_is_another_length_to_the_sample(speed: float) -> None:
    pieces = cut([960, *[2_400] * 20], speed)
    assert sum(piece.audio.size for piece in pieces) == round((960 + 48_000) / speed)
    assert pieces[-1].marks[-1][1] == round((960 + 48_000) / speed)


def test_a_longer_text_may_take_longer() -> None:
    assert most_frames("a" * 100, 5, 10_000) == 550
    assert most_frames("a" * 100, 10, 10_000) == 1_050


def test_digits_symbols_and_syllables_may_take_a_word_each() -> None:
    assert most_frames("1234567890", 5, 10_000) == most_frames("あいうえおかきくけこ", 5, 10_000) == 250


def test_the_models_own_limit_holds() -> None:
    assert most_frames("a" * 900, 5, 1_024) == 1_024


def test_a_text_that_nobody_could_say_in_that_time_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"1025 characters long, and this model speaks 41 s at most"):
        most_frames("a" * 1_025, 5, 1_024)


def test_speech_of_any_usual_speed_fits() -> None:
    """Ten letters a second is slow: the cap leaves twice as much."""
    for text in ("The old lighthouse keeper climbed one hundred and twelve steps every evening.", "Ja."):
        assert most_frames(text, 5, 10_000) / 25 > 2 * len(text) / 10
