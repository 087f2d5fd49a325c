import pytest

from espeak_voice.languages import Language, Languages, UnknownLanguage, VoiceFile, canonical, is_within
from espeak_voice.speaking_rate import FASTEST, NORMAL_RATE, SLOWEST, rate_for


def voice(identifier: str, *languages: tuple[str, int]) -> VoiceFile:
    return VoiceFile(identifier, identifier, tuple(Language(*language) for language in languages), "male")


VOICES = Languages(
    [
        voice("gmw/en-US", ("en-us", 2), ("en", 3)),
        voice("gmw/en", ("en-gb", 2), ("en", 2)),
        voice("gmw/en-GB-scotland", ("en-gb-scotland", 5), ("en", 4)),
        voice("sit/yue", ("yue", 5), ("zh", 8)),
        voice("sit/yue-Latn-jyutping", ("yue", 5), ("zh", 8)),
        voice("sit/cmn", ("cmn", 5), ("zh", 5)),
    ]
)


@pytest.mark.parametrize(
    ("tag", "identifier"),
    [
        ("en-us", "gmw/en-US"),
        ("EN-US", "gmw/en-US"),
        ("en", "gmw/en"),
        ("en-AU", "gmw/en"),
        ("en-US-x-somewhere", "gmw/en-US"),
        ("en-gb-scotland", "gmw/en-GB-scotland"),
        ("zh-Hans-CN", "sit/cmn"),
        ("yue", "sit/yue"),
        ("yue-latn-jyutping", "sit/yue-Latn-jyutping"),
    ],
)
def test_the_nearest_voice_speaks(tag: str, identifier: str) -> None:
    assert VOICES.find(tag).identifier == identifier


@pytest.mark.parametrize("tag", ["", "xx", "english"])
def test_a_language_that_nobody_speaks(tag: str) -> None:
    with pytest.raises(UnknownLanguage):
        VOICES.find(tag)


def test_every_voice_has_a_name_of_its_own() -> None:
    assert len(VOICES.by_name) == 6


def test_within() -> None:
    assert is_within("en-GB", "en")
    assert is_within("en-gb", "en-GB")
    assert not is_within("eng", "en")
    assert not is_within("en", "en-GB")


@pytest.mark.parametrize(
    "tag", ["en", "en-GB", "es-419", "cmn-Latn-pinyin", "en-GB-scotland", "chr-US-Qaaa-x-west", "en-GB-x-rp"]
)
def test_tags_have_their_usual_letter_case(tag: str) -> None:
    assert canonical(tag.lower()) == tag


def test_rates_grow_with_the_speed_between_those_that_espeak_speaks_itself() -> None:
    rates = [rate_for(speed / 100) for speed in range(round(100 * SLOWEST), round(100 * FASTEST) + 1)]
    assert rates == sorted(rates)
    assert rates[0] == 90
    assert rate_for(1.0) == NORMAL_RATE
    assert rates[-1] == pytest.approx(260, abs=10)
