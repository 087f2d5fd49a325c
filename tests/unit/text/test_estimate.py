import pytest

import lectern_contract as contract
from orchestrator.text.estimate import MARKS_PER_SECOND, count_words, estimate_seconds, running_seconds
from orchestrator.text.phrase_packing import MAX_SECONDS


def test_fifteen_letters_take_a_second() -> None:
    assert estimate_seconds("a quick brown f") == pytest.approx(1)


@pytest.mark.parametrize("slower", ["1984", "好好好好", "ひらがな", "한국말은", "שלום", "€%+="])
def test_what_stands_for_more_sound_takes_longer_than_letters(slower: str) -> None:
    assert estimate_seconds(slower) > estimate_seconds("four")


def test_running_seconds_agree_with_the_estimate() -> None:
    text = "One, 2 好 👍."
    running = running_seconds(text)
    assert len(running) == len(text) + 1
    assert running == pytest.approx([estimate_seconds(text[:end]) for end in range(len(text) + 1)])


def test_no_text_within_the_longest_time_exceeds_the_contract() -> None:
    assert all(estimate_seconds(chr(code)) >= 1 / MARKS_PER_SECOND for code in range(0x3000))
    assert MAX_SECONDS * MARKS_PER_SECOND <= contract.MAX_TEXT


@pytest.mark.parametrize(
    ("text", "words"),
    [("It's a well-known 3.5 — “fact”!", 5), ("...", 0), ("你好世界", 2), ("สวัสดีชาวโลก", 3), ("", 0)],
)
def test_words_are_counted_in_scripts_with_and_without_spaces(text: str, words: float) -> None:
    assert count_words(text) == words
