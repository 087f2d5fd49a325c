"""Text is composed before it is spoken, and marks lie on the characters that were sent."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectern_triton.voice_backend.nfc import to_nfc


def word(text: str, start: int, end: int) -> str:
    """What was sent for the composed characters from start to end."""
    _, _, first, last = to_nfc(text).original_mark((0, 1, start, end))
    return text[first:last]


@pytest.mark.parametrize("composed", ["er hält an", "naïve", "café, olé!", "tiếng Việt", "각자", "が ギ", "Ångström"])
def test_every_composed_character_leads_back_to_what_was_sent_for_it(composed: str) -> None:
    sent = unicodedata.normalize("NFD", composed)
    assert to_nfc(sent).text == composed
    for at, sign in enumerate(composed):
        assert word(sent, at, at + 1) == unicodedata.normalize("NFD", sign)


def test_a_composed_text_is_as_it_was_sent() -> None:
    assert to_nfc("er hält an") == ("er hält an", None, None)
    assert to_nfc("er hält").original_mark((3, 9, 3, 7)) == (3, 9, 3, 7)


def test_a_mark_that_no_letter_takes_up_stays_with_its_letter() -> None:
    sent = "e\u0301\u20dd x\u0301"
    assert to_nfc(sent).text == "é\u20dd x\u0301"
    assert [word(sent, 0, 2), word(sent, 3, 5)] == ["e\u0301\u20dd", "x\u0301"]


def test_a_sign_that_becomes_two_is_one_place() -> None:
    assert to_nfc("\u0958लम").text == "\u0915\u093cलम"
    assert word("\u0958लम", 0, 2) == "\u0958"
    assert word("\u0958लम", 0, 4) == "\u0958लम"


SIGNS = st.sampled_from("aeo \u0301\u0308\u0323\u0327\u20dd\u0958\u0344\u1100\u1161\u11a8\u09c7\u09be\u212b\ufb1d")


@given(st.text(SIGNS | st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_text_is_composed_as_unicode_has_it_and_no_character_is_lost(sent: str) -> None:
    composed = to_nfc(sent)
    assert composed.text == unicodedata.normalize("NFC", sent)
    places = [composed.original_mark((0, 1, at, at + 1))[2:] for at in range(len(composed.text))]
    assert places == sorted(places)
    assert {at for start, end in places for at in range(start, end)} == set(range(len(sent)))
