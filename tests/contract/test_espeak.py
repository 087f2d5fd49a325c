"""The espeak model: its voices, and texts in which eSpeak NG alone would leave out words."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lectern.triton import AsyncTriton, InvalidRequest

SENTENCE = "Nobody had seen the river so low in a hundred years."


@pytest.fixture
def samples(triton_address: str) -> Callable[..., int]:
    async def count(text: str, more: dict[str, Any]) -> int:
        async with AsyncTriton(triton_address) as triton:
            return sum([chunk.audio.size async for chunk in triton.speak("espeak", text, **more)])

    return lambda text, **more: asyncio.run(count(text, more))


def test_every_voice_of_the_card_speaks(triton_address: str) -> None:
    async def story() -> None:
        async with AsyncTriton(triton_address) as triton:
            card = await triton.card("espeak")
            assert {"en-us", "en-gb", "de", "fr-fr", "cmn", "ja", "hi"} <= {voice.name for voice in card.voices}
            for voice in card.voices:
                chunks = [chunk async for chunk in triton.speak("espeak", "hello", voice=voice.voice)]
                assert sum(chunk.audio.size for chunk in chunks) > card.sample_rate / 4, voice

    asyncio.run(story())


@pytest.mark.parametrize("text", ["’-नमस्ते", "“-नमस्ते दुनिया", "Look: …-नमस्ते."])
@pytest.mark.parametrize("language", ["hi", "en-us"])
def test_a_hyphen_behind_a_sign_crashes_no_engine(samples: Callable[..., int], text: str, language: str) -> None:
    assert samples(text, voice={"language": language}) > 0


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"voice": {"language": "xx"}}, "does not speak 'xx'"),
        ({"voice": {"language": 5}}, "language"),
        ({"voice": {"variant": "nobody"}}, "unknown variant 'nobody'"),
        ({"voice": {"variant": "../../f3"}}, "unknown variant"),
        ({"voice": {"pitch": 101}}, "pitch"),
        ({"voice": {"pitch": "high"}}, "pitch"),
        ({"voice": {"speaker": "x"}}, "parameters are language, variant, pitch, range"),
        ({"language": "tlh-x-unknown"}, "does not speak"),
    ],
)
def test_a_voice_that_it_has_not_is_refused(samples: Callable[..., int], more: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        samples("Hello.", **more)
    assert says in str(refused.value)


def test_the_language_of_the_request_overrides_that_of_the_voice(samples: Callable[..., int]) -> None:
    text = "1 234 567 890"
    german = samples(text, voice={"language": "de"})
    assert samples(text, voice={"language": "en-us"}, language="de") == pytest.approx(german, rel=0.02)
    assert samples(text, voice={"language": "en-us"}) != pytest.approx(german, rel=0.02)


def test_a_wider_language_keeps_the_accent_of_the_voice(samples: Callable[..., int]) -> None:
    scottish = samples(SENTENCE, voice={"language": "en-gb-scotland"})
    assert samples(SENTENCE, voice={"language": "en-gb-scotland"}, language="en") == pytest.approx(scottish, rel=0.005)
    assert samples(SENTENCE, voice={"language": "en-gb-scotland"}, language="en-us") != pytest.approx(
        scottish, rel=0.005
    )


@pytest.mark.parametrize("language", ["de", "cmn", "hi"])
@pytest.mark.parametrize("speed", [0.25, 2.0, 4.0])
def test_speed_is_true_in_other_languages_too(samples: Callable[..., int], language: str, speed: float) -> None:
    text = {
        "de": "Niemand hatte den Fluss so tief gesehen.",
        "cmn": "今天天气很好，我们去公园吧。",
        "hi": "आज मौसम बहुत अच्छा है।",
    }
    normal = samples(text[language], language=language)
    assert samples(text[language], language=language, speed=speed) == pytest.approx(normal / speed, rel=0.1)


@pytest.mark.parametrize(
    ("unit", "language"),
    [
        ("banana", "en"),
        ("7", "en"),
        ("$3.50 ", "en"),
        ("你好世界", "zh"),
        ("こんにちは", "ja"),
        ("สวัสดี", "th"),
        ("the cat sat ", "en"),
    ],
)
def test_nothing_is_left_out_of_a_text_without_a_pause(samples: Callable[..., int], unit: str, language: str) -> None:
    """eSpeak NG itself drops the rest of a word or clause that is too long."""
    few = 30 // len(unit) + 1
    once, twice, often = (samples(unit * few * times, language=language) for times in (1, 2, 32))
    assert often == pytest.approx(once + 31 * (twice - once), rel=0.1)


def test_markup_is_text(samples: Callable[..., int]) -> None:
    assert samples("a <break time='9s'/> b") < 9 * 22_050
    assert samples("one [[h@l'oU]] two") > samples("one two") * 1.5


def test_a_text_that_it_has_no_sound_for_is_refused(samples: Callable[..., int]) -> None:
    with pytest.raises(InvalidRequest, match="no sound"):
        samples("\ufdfd")
