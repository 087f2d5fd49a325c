"""Texts are compared as they sound, however Whisper spells them."""

import pytest

from tests.ears.transcript import compare_signs, compare_words, contains, words


@pytest.mark.parametrize(
    ("written", "sounds"),
    [
        ("The bus leaves at 10.05am.", "the bus leaves at ten oh five a m"),
        ("at 10:05 a.m. today", "at ten oh five a m today"),
        ("7:00 PM, or 12:30", "seven p m or twelve thirty"),
        ("$19.99 and £250", "nineteen dollars and ninety nine cents and two hundred fifty pounds"),
        ("St. James", "saint james"),
        ("555-0137, 5550137", "five five five zero one three seven five five five zero one three seven"),
        ("75% of 2.5kg", "seventy five percent of two point five kilograms"),
        ("In 1985, on the 21st of March", "in nineteen eighty five on the twenty first of march"),
        ("-8°C, 3,000 or 347", "minus eight degrees celsius three thousand or three hundred forty seven"),
        ("three hundred and forty-seven", "three hundred forty seven"),
        ("Don\u2019t say \u2018never\u2019!", "don't say never"),
    ],
)
def test_words_as_they_sound(written: str, sounds: str) -> None:
    assert " ".join(words(written)) == sounds


def test_each_error_counts_once() -> None:
    comparison = compare_words("it", "We have no more apples.", "We have more green apples")
    assert (comparison.errors, comparison.count) == (2, 5)
    assert compare_words("nothing", "We have none.", "").errors == 3
    assert compare_signs("signs", "牛乳を三本、", "牛乳三本").errors == 1


def test_words_are_found_whole_and_in_their_order() -> None:
    assert contains("It was 10:05 a.m. by then.", "ten oh five a m")
    assert not contains("It was ten five am", "ten oh five a m")
    assert not contains("a manor", "a man")
