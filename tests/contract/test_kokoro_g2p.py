"""kokoro_g2p: from text to phonemes in nine languages, with every word's place in the text."""

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tritonclient.utils import InferenceServerException

from tests.contract.g2p_client import G2P
from tests.kokoro import TRAINED_G2P

TRAPS = {
    "en-US": [
        "I read it yesterday.", "Dr. Smith's cat isn't here, e.g. not now!", "It cost $3.50 on 12/03/1999.",
        "“Quoted” — and (bracketed) – words…", "A party 🎉 with a 👩‍💻 friend.", "Привет to 世界 and naïve café.",
        "See https://example.com/a_b?c=1 or mail bob.smith@example.org.", "At 5:05 pm, 1,234,567 people (50%) left.",
        "Read [our blog](/blog/) or [x](/Ж/) [pause:1s] [pause:no] now.",
        "3 km, 5 kg, -4 °C and 10-20 m/s.", "AI's NASA, USA & co.",
        "Line one\n\nline two\tand more", "1/2 of No. 5; #7 is 2nd.", "x² + y³ = ½?", "'Twas the night…",
        "state-of-the-art rock'n'roll", "The the THE tHe", "ﬁne ligature", "zero\u200bwidth", "e\u0301clair",
    ],
    "es": ["¿Cómo estás? Tengo 123 gatos.", "Cuesta $5 y 3,5 €.", "El niño corrió… ¡rápido!", "EE. UU. 🎉 2ª"],
    "fr": ["C'est l'été, n'est-ce pas ?", "J'ai 12 € aujourd'hui.", "« Bonjour » dit-il.", "Nous avons mangé."],
    "hi": ["नमस्ते दुनिया, आप कैसे हैं?", "मेरे पास १२ किताबें हैं।", "यह $5 है 🎉"],
    "it": ["Perché no? Ho 5 mele.", "L'amico dell'uomo è qui.", "Costa 12,50 €."],
    "pt-BR": ["Olá, não é? Tenho 21 anos.", "Custa R$ 5 ou $7.", "O coração – sim!"],
    "zh": ["你好，世界！", "我有12.5元和3/4。", "2024年5月1日，OpenAI 发布。", "“引号”《书》🎉"],
    "ja": ["こんにちは世界。", "今日は3月14日です。", "AIを使う！「はい」", "カタカナ ひらがな 漢字"],
}  # fmt: skip


@pytest.fixture(scope="module")
def rules(triton_address: str) -> Iterator[G2P]:
    client = G2P(triton_address)
    yield client
    client.close()


@pytest.fixture(scope="module")
def trained(triton_address: str) -> Iterator[G2P]:
    client = G2P(triton_address, TRAINED_G2P)
    with client.loaded():
        yield client
    client.close()


@pytest.fixture(scope="module", params=["rules", "trained"])
def g2p(request: pytest.FixtureRequest) -> G2P:
    """English by our tagger, and by spaCy's."""
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def compositions() -> Iterator[tuple[str, str]]:
    chance = random.Random(20_26)
    for language, traps in TRAPS.items():
        yield from ((language, trap) for trap in traps)
        for _ in range(15 if language == "en-US" else 4):
            yield language, chance.choice([" ", "\n", "  "]).join(chance.sample(traps, 3))
    yield from (("en-GB", trap) for trap in TRAPS["en-US"])


@pytest.mark.parametrize(("language", "text"), list(compositions()))
def test_every_word_is_spoken_and_knows_its_place(g2p: G2P, language: str, text: str) -> None:
    assert {at for at, sign in enumerate(text) if sign.isalnum()} <= covered(g2p, language, text)


def covered(g2p: G2P, language: str, text: str) -> set[int]:
    """Checks that the words are in order in the text and in its phonemes; returns the characters of all words."""
    read, places = 0, set()
    for sentence in g2p.sentences(text, language):
        assert len(sentence.ids) == len(sentence.phonemes) <= 510
        assert all(0 < number < 178 for number in sentence.ids)
        heard = 0
        for first, last, start, end in sentence.words:
            assert heard <= first <= last <= len(sentence.phonemes)
            assert read <= start < end <= len(text)
            heard, read = last, end
            places |= set(range(start, end))
    return places


MARKED = "[Kokoro](/kˈOkəɹO/)'s own [word](/wˈɜɹd/). [pause:1s] Then more."


def test_markup_is_obeyed_where_it_is_asked_for(g2p: G2P) -> None:
    first, last = g2p.sentences(MARKED, markup=True)
    assert first.of(MARKED)[0] == ("Kokoro", "kˈOkəɹO")
    assert ("word", "wˈɜɹd") in first.of(MARKED)
    assert (first.pause, last.pause) == (1.0, None)
    assert [word for word, _ in last.of(MARKED)] == ["Then", "more"]


@pytest.mark.parametrize("language", ["en-US", "es", "ja", "zh"])
@pytest.mark.parametrize("asked", [{}, {"markup": False}])
def test_markup_is_words_where_it_is_not_asked_for(g2p: G2P, language: str, asked: dict[str, bool]) -> None:
    for text in (MARKED, "Read [our blog](/blog/) today.", "Meet [our team](/team/) today.", "It [pause:99s] is."):
        sentences = list(g2p.sentences(text, language, **asked))
        spoken = {at for one in sentences for _, _, start, end in one.words for at in range(start, end)}
        assert {at for at, sign in enumerate(text) if sign.isalnum()} <= spoken
        assert all(one.pause is None for one in sentences)


def test_a_path_in_brackets_sounds_as_a_path_and_not_as_its_signs(g2p: G2P) -> None:
    said = g2p.phonemes("Meet [our team](/team/) today.")
    assert said.count(g2p.phonemes("team")) == 2


WORDS = {
    "en-US": "a The word I'm O’Neil 90s", "en-GB": "an lift Y won't", "es": "año É hola", "fr": "l'été où aujourd’hui",
    "hi": "नमस्ते दुनिया क़", "it": "perché L'A un’", "ja": "今日は カ ABC", "pt-BR": "não é R$", "zh": "你好 世界 abc",
}  # fmt: skip
APOSTROPHES = "'’‘ʼ`´′″\"“”‚„ʹ"
SIGNS = [*APOSTROPHES, *"-–—‒.,;:!?()[]/$€£%&+*=#@…~_ ", " ", "\n", "\u0301", "½", "²", "🎉", "a.m.", "5'10\"", "--"]


@pytest.mark.parametrize(
    ("written", "common"),
    [
        ("I donʼt know.", "I don’t know."),
        ("I don´t know.", "I don’t know."),
        ("In the ʼ90s, he said.", "In the ’90s, he said."),
        ("She is 5ʹ10ʺ tall.", "She is 5′10″ tall."),
    ],
)
def test_any_apostrophe_is_an_apostrophe(g2p: G2P, written: str, common: str) -> None:
    assert g2p.phonemes(written) == g2p.phonemes(common)


@pytest.mark.parametrize("language", ["en-US", "es", "fr", "hi", "it", "ja", "pt-BR", "zh"])
@pytest.mark.parametrize("digits", ["٣٥", "३५", "３５"])
def test_digits_of_any_script_are_digits(g2p: G2P, language: str, digits: str) -> None:
    assert g2p.phonemes(digits, language) == g2p.phonemes("35", language) != ""


def test_marks_have_no_blanks_at_their_ends(g2p: G2P) -> None:
    text = "She said hello ｶﾞｷﾞｸﾞ ﾊﾟﾋﾟ"
    words = [word for word, _ in g2p.sentence(text, "ja").of(text)]
    assert words == [word.strip() for word in words]
    assert "".join(words) == text.replace(" ", "")


@pytest.mark.parametrize("language", WORDS)
@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_no_apostrophe_dash_or_digit_moves_a_word(g2p: G2P, language: str, data: st.DataObject) -> None:
    words = st.sampled_from(WORDS[language].split())
    numbers = st.integers(0, 2_100).map(str)
    text = "".join(data.draw(st.lists(words | numbers | st.sampled_from(SIGNS), min_size=1, max_size=16)))
    heard = {at for at, sign in enumerate(text) if sign.isalnum() and sign not in APOSTROPHES}  # some count as letters
    assert heard <= covered(g2p, language, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("In the mid-’90s we moved.", ["In", "the", "mid-’90s", "we", "moved"]),
        ("She stopped—‘Wait,’ she said.", ["She", "stopped", "Wait", "she", "said"]),
        ("‘No,’—she left--'Go'--and came.", ["No", "she", "left", "Go", "and", "came"]),
        ("the ’90s–’00s era’s end", ["the", "’90s", "’00s", "era’s", "end"]),
        ("It’s 5'' 3' wide, isn’t it?", ["It’s", "5", "3'", "wide", "isn’t", "it"]),
    ],
)
def test_marks_lie_on_the_words(g2p: G2P, text: str, words: list[str]) -> None:
    assert [word for word, _ in g2p.sentence(text).of(text)] == words


def test_a_long_text_whose_last_word_has_no_sign_of_its_own_is_cut(g2p: G2P) -> None:
    text = "今日は8213426今日は483½316111"  # Open JTalk makes more words of the numbers than there are signs
    assert {at for at, sign in enumerate(text) if sign.isalnum()} <= covered(g2p, "ja", text)


def test_a_sign_that_is_widened_between_digits_takes_none_of_them(g2p: G2P) -> None:
    assert covered(g2p, "ja", "15'10") >= {0, 1, 3, 4}


def test_a_dash_of_two_or_three_hyphens_is_a_dash(g2p: G2P) -> None:
    for dash in ("--", "---"):
        assert g2p.phonemes(f"They left{dash}fast.") == g2p.phonemes("They left—fast.")


def test_a_sign_that_has_no_reading_is_spelt_out(g2p: G2P) -> None:
    assert all(sound for _, sound in g2p.sentence("你㣡好。", "zh").of("你㣡好。"))


@pytest.mark.parametrize(
    ("language", "text", "phonemes"),
    [
        ("en-US", "Hello world.", "həlˈO wˈɜɹld."),
        ("en-GB", "Hello world.", "həlˈQ wˈɜːld."),
        ("es", "Hola mundo.", "ˈola mˈundo."),
        ("fr", "Bonjour le monde.", "bɔ̃ʒˈuʁ lə mˈɔ̃d."),
        ("hi", "नमस्ते।", "nəmˈʌsteː."),
        ("it", "Ciao mondo.", "ʧˈao mˈondo."),
        ("ja", "世界。", "sekai."),
        ("pt-BR", "Olá mundo.", "olˈa mˈu\u0303ŋdʊ."),
        ("zh", "你好。", "ni↓xau↓."),
    ],
)
def test_each_language_has_its_own_sounds(g2p: G2P, language: str, text: str, phonemes: str) -> None:
    assert g2p.phonemes(text, language) == phonemes


@pytest.mark.parametrize(
    ("tag", "like"),
    [("en", "en-US"), ("en-au", "en-GB"), ("EN_us", "en-US"), ("pt", "pt-BR"), ("pt-PT", "pt-BR"), ("zh-Hans-CN", "zh"),
     ("cmn", "zh"), ("es-MX", "es"), ("fr-CA", "fr"), ("ja-JP", "ja")],
)  # fmt: skip
def test_a_tag_is_narrowed(g2p: G2P, tag: str, like: str) -> None:
    assert g2p.phonemes("tomato 12", tag) == g2p.phonemes("tomato 12", like)


@pytest.mark.parametrize("tag", ["de", "xx", "", "english", "e", "-"])
def test_an_unknown_language_is_refused(g2p: G2P, tag: str) -> None:
    with pytest.raises(InferenceServerException, match=r"INVALID_ARG: .*it speaks en-US"):
        g2p.sentence("hello", tag)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I read it yesterday.", {"read": "ɹˈɛd"}),
        ("I will read it.", {"read": "ɹˈid"}),
        ("They used to go.", {"used": "jˈust", "to": "tə"}),
        ("They record a record.", {"record": "ɹˈɛkəɹd"}),
        ("The apple and the pear.", {"The": "ði", "the": "ðə"}),
        ("It is a cat.", {"a": "ɐ"}),
        ("Plan A and a cat.", {"A": "ˈA", "a": "ɐ"}),
        ("Once Upon A Time.", {"A": "ɐ"}),
        ("Can you read this?", {"read": "ɹˈid"}),
        ("Did you read it yesterday?", {"read": "ɹˈid"}),
        ("They have read it.", {"read": "ɹˈɛd"}),
        ("We could not wind it.", {"wind": "wˈInd"}),
        ("The US economy and us.", {"US": "jˌuˈɛs", "us": "ˌʌs"}),
        ("She works in IT, and it helps.", {"IT": "ˌItˈi", "it": "ɪt"}),
        ("All WARNINGS were read.", {"WARNINGS": "wˈɔɹnɪŋz"}),
        ("An up-to-date, well-known list.", {"up-to-date": "ˌʌptədˈAt", "well-known": "wˌɛlnˈOn"}),
    ],
)
def test_small_words_and_words_of_two_sounds(g2p: G2P, text: str, words: dict[str, str]) -> None:
    said = dict(g2p.sentence(text).of(text))
    assert {word: said[word] for word in words} == words


@pytest.mark.parametrize(
    ("text", "written_out"),
    [
        ("It is 2025-03-14.", "It is March fourteenth, 2025."),
        ("At 5:30 pm.", "At 5 30 PM."),
        ("At 5:05.", "At 5 oh 5."),
        ("At 17:00.", "At 17 o'clock."),
        ("For $12.50 each.", "For 12 dollars and 50 cents each."),
        ("For $1 each.", "For 1 dollar each."),
        ("About £1.5 million now.", "About 1.5 million pounds now."),
        ("It weighs 5 kg.", "It weighs 5 kilograms."),
        ("It weighs 1 kg.", "It weighs 1 kilogram."),
        ("Just 30 km/h here.", "Just 30 kilometers per hour here."),
        ("From 10-20 pages.", "From 10 to 20 pages."),
        ("It is -5 outside.", "It is minus 5 outside."),
        ("Take 3/4 of it.", "Take three quarters of it."),
        ("Mail bob@example.com now.", "Mail bob at example dot com now."),
        ("See https://www.example.com/docs now.", "See example dot com slash docs now."),
        ("Room #5 is free.", "Room number 5 is free."),
        ("It costs 20 € now.", "It costs 20 euros now."),
        ("For 20 €, 15 seats.", "For 20 euros, 15 seats."),
        ("For 12,50 € or 5$ each.", "For 12 euros and 50 cents or 5 dollars each."),
        ("About $2bn, £1.2m and €3 k.", "About 2 billion dollars, 1.2 million pounds and 3 thousand euros."),
        ("From $50.00-$100.00, or $5-10.", "From 50 dollars to 100 dollars, or 5 to 10 dollars."),
        ("For R$ 20,50 or A$5.", "For 20 reais and 50 centavos or 5 Australian dollars."),
        ("It took 1:02:45.", "It took 1 hour, 2 minutes and 45 seconds."),
        ("It took 0:02:01.", "It took 2 minutes and 1 second."),
        ("Start at 10:05:30, please.", "Start at 10 oh 5 and 30 seconds, please."),
        ("We met at 7:30 p.m. Then we left.", "We met at 7 30 PM. Then we left."),
        ("We met at 7 pm, by 8 P.M. or so.", "We met at 7 PM, by 8 PM or so."),
        ("From 4:00 pm - 8:12 pm.", "From 4 PM to 8 12 PM."),
        ("Call me at 555-0137.", "Call me at five five five, zero one three seven."),
        ("Call (555) 010-4477.", "Call five five five, zero one zero, four four seven seven."),
        ("Or +1 555 010 4477.", "Or plus one, five five five, zero one zero, four four seven seven."),
        ("Read 500-1000 words.", "Read 500 to 1000 words."),
        ("About 10%-20% more.", "About 10% to 20% more."),
        ("As 5 - 3 = 2, and 9 − 4.", "As 5 minus 3 = 2, and 9 minus 4."),
        ("She is 5'10\" tall, he 6′0″.", "She is 5 foot 10 tall, he 6 feet."),
        ("Cats vs. dogs, by Prof. Lee.", "Cats versus dogs, by Professor Lee."),
        ("See you at 9am or 5pm.", "See you at 9 AM or 5 PM."),
        (
            "St. James St., near St. Paul on Main St. today.",
            "Saint James Street, near Saint Paul on Main Street today.",
        ),
        ("On 1st Ave. at Mt. Etna she sang Ave Maria.", "On 1st Avenue at Mount Etna she sang Ave Maria."),
        ("Version 2.0.1 or v1.5.", "Version 2 point zero point 1 or version 1.5."),
        ("Python 3.10 is not 3.1.", "Python 3 point ten is not 3.1."),
        ("Ask 192.168.0.1 about 3.50.", "Ask 192 dot 168 dot zero dot 1 about 3 point five zero."),
        ("Henry VIII and Elizabeth I.", "Henry the eighth and Elizabeth the first."),
        ("World War II, WWI, Chapter IV.", "World War two, World War one, Chapter four."),
        ("It took 2½ hours, or 2 1/2.", "It took 2 and a half hours, or 2 and one half."),
        ("A €1.2bn deal.", "A 1.2 billion euros deal."),
        ("On Jan. 5, in Feb. and on Sept. 3rd.", "On January fifth, in February and on September third."),
        ("May 5-7, or the 4 July.", "May fifth to seventh, or the fourth of July."),
        ("In May 12 people came.", "In May twelve people came."),
        ("Open Mon. to Fri. at 9.", "Open Monday to Friday at 9."),
        ("On 12.05.2024 it was.", "On May twelfth, 2024 it was."),
        ("Code 0042, agent 007.", "Code zero zero four two, agent zero zero seven."),
        ("In 25 min. or 2 hrs, a 5-min walk.", "In 25 minutes or 2 hours, a 5 minute walk."),
        ("Wait 25 min. Then go.", "Wait 25 minutes. Then go."),
        ("A 100 W lamp at 120 W 45th St. now.", "A 100 watts lamp at 120 W 45th Street now."),
        ("Give 5 mg/mL.", "Give 5 milligrams per milliliter."),
        ("See Fig. 3, pp. 3-5 and Nos. 3 and 4.", "See Figure 3, pages 3 to 5 and Numbers 3 and 4."),
        ("Gov. Smith and Bob Jones Jr. left.", "Governor Smith and Bob Jones Junior left."),
        ("Pens, paper, etc. to Acme Inc. and Co. now.", "Pens, paper, etc to Acme Inc and Company now."),
        ("Approx. 3 > 2, and 4 ≥ 1.", "Approximately 3 greater than 2, and 4 at least 1."),
        ("Only CO2 and 2^10.", "Only C O 2 and 2 to the power of 10."),
        ("A 50-50 chance.", "A fifty fifty chance."),
    ],
)
def test_english_is_written_out(g2p: G2P, text: str, written_out: str) -> None:
    assert g2p.phonemes(text) == g2p.phonemes(written_out)


@pytest.mark.parametrize("written", ["10:05 a.m.", "10:05 AM", "10:05am", "10:05 A.M."])
def test_the_hours_before_noon_are_letters(g2p: G2P, written: str) -> None:
    assert g2p.phonemes(f"At {written} today.") == "ˌæt tˈɛn ˈO fˈIv ˌAˈɛm tədˈA."
    assert g2p.phonemes(f"At {written.removesuffix('.')}.") == "ˌæt tˈɛn ˈO fˈIv ˌAˈɛm."


def test_an_hour_ends_a_sentence_only_where_another_begins(g2p: G2P) -> None:
    assert "." not in g2p.phonemes("At 9 a.m. Monday we left the house together")
    assert "." not in g2p.phonemes("At 9 a.m. (EST) we left the house")
    assert len(list(g2p.sentences("They had all met in the old house at 7:30 p.m. Then the guests came in."))) == 2
    assert len(list(g2p.sentences("They had all met in the old house at 7:30 p.m. Monday to see the guests."))) == 1


@pytest.mark.parametrize("text", ["Elizabeth I have never met.", "I met Jan. He left."])
def test_what_only_looks_like_an_abbreviation_is_left_alone(g2p: G2P, text: str) -> None:
    assert g2p.phonemes(text) == g2p.phonemes(text, normalization={"numbers": False, "dates": False})


def test_letters_with_stops_end_a_sentence_only_where_another_begins(g2p: G2P) -> None:
    assert g2p.phonemes("In the U.S. Then it rained.") == "ɪn ðə jˌuˈɛs. ðˈɛn ɪt ɹˈAnd."
    assert "." not in g2p.phonemes("In the U.S. Congress it rained")


@pytest.mark.parametrize("text", ["Dial 01-05 there.", "It is 555-0137."])
def test_a_number_with_a_zero_in_front_begins_or_ends_no_range(g2p: G2P, text: str) -> None:
    assert "tə" not in g2p.phonemes(text).split()


@pytest.mark.parametrize(
    ("language", "text", "written_out"),
    [
        ("pt-BR", "Custa R$ 20,50.", "Custa 20 reais e 50."),
        ("pt-BR", "Ligue (11) 3333-4444.", "Ligue 1 1, 3 3 3 3, 4 4 4 4."),
        ("es", "Son 20 €, 15 sillas.", "Son 20 euros, 15 sillas."),
        ("es", "Son $2 millones.", "Son 2 millones de dólares."),
        ("fr", "Il a 12,50 € ou 1 €.", "Il a 12 euros 50 ou un euro."),
        ("it", "Costa 3,23€.", "Costa 3 euro e 23."),
        ("hi", "यह 20 € है", "यह 20 यूरो है"),
        ("ja", "20 €です", "20ユーロです"),
        ("zh", "$1.5万和20 €", "1.5万美元和20欧元"),
    ],
)
def test_money_is_read_in_each_language(g2p: G2P, language: str, text: str, written_out: str) -> None:
    assert g2p.phonemes(text, language) == g2p.phonemes(written_out, language)


def test_british_dates_and_units_are_british(g2p: G2P) -> None:
    assert g2p.phonemes("On 3/4/2025.", "en-GB") == g2p.phonemes("On the third of April 2025.", "en-GB")


@pytest.mark.parametrize(
    ("switch", "text"),
    [
        ("dates", "On 2025-03-14 then."),
        ("money", "For $2bn now."),
        ("units", "It is 5 kg."),
        ("numbers", "From 10-20 pages."),
        ("urls", "See www.example.com now."),
        ("emails", "Mail bob@example.com."),
    ],
)
def test_each_kind_can_be_switched_off(g2p: G2P, switch: str, text: str) -> None:
    others = dict.fromkeys(("dates", "money", "units", "numbers", "urls", "emails"), False) | {switch: True}
    off = {switch: False}
    assert g2p.sentence(text, normalization=off).phonemes != g2p.sentence(text).phonemes
    assert g2p.sentence(text, normalization=others).phonemes == g2p.sentence(text).phonemes


def test_an_unknown_switch_is_refused(g2p: G2P) -> None:
    with pytest.raises(InferenceServerException, match=r"INVALID_ARG: .*the switches are"):
        g2p.sentence("hello", normalization={"shouting": True})


def test_markup_and_lexicon_are_left_alone_by_all_else(g2p: G2P) -> None:
    text = "[$5](/fˈIv/) for the GIF of https://gif.example.com"
    words = dict(g2p.sentence(text, lexicon={"gif": "ʤˈɪf"}, markup=True).of(text))
    assert (words["5"] if "5" in words else words["$5"]) == "fˈIv"
    assert words["GIF"] == "ʤˈɪf"


def test_a_lexicon_prefers_the_exact_spelling_and_whole_words(g2p: G2P) -> None:
    lexicon = {"us": "ˌʌs", "US": "jˌuˈɛs"}
    text = "Us in the US use us."
    assert [sound for word, sound in g2p.sentence(text, lexicon=lexicon).of(text) if word.lower() == "us"] == [
        "ˌʌs", "jˌuˈɛs", "ˌʌs",
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["en-GB", "es", "ja", "zh"])
def test_pronunciations_hold_in_every_language(g2p: G2P, language: str) -> None:
    text = "[Kokoro](/kˈOkəɹO/)"
    assert g2p.sentence(text, language, markup=True).phonemes == "kˈOkəɹO"


def test_a_letter_with_its_mark_is_known_in_either_form(g2p: G2P) -> None:
    assert g2p.phonemes("[a](/\u0169/)", "fr", markup=True) == "u\u0303"


@pytest.mark.parametrize(("text", "sound"), [("[a](/Ж/)", "U\\+0416"), ("[a](/" + "a" * 180 + "/)", "longer")])
def test_signs_that_kokoro_does_not_know_are_refused(g2p: G2P, text: str, sound: str) -> None:
    with pytest.raises(InferenceServerException, match=f"INVALID_ARG: .*{sound}"):
        g2p.sentence(text, markup=True)


def test_pauses_end_a_sentence_and_add_up(g2p: G2P) -> None:
    text = "One. [pause:0.5s] Two [pause:1s][pause:0.25s] three."
    found = [(sentence.of(text)[0][0], sentence.pause) for sentence in g2p.sentences(text, markup=True)]
    assert found == [("One", 0.5), ("Two", 1.25), ("three", None)]


def test_each_sentence_tells_what_ends_with_it(g2p: G2P) -> None:
    long = "This sentence has more than forty characters, so it stands alone."
    text = f"{long} {long}\n{long}\n\n{long}\n\n\n{long}\n"
    assert [one.end for one in g2p.sentences(text)] == ["sentence", "list_item", "paragraph", "heading", None]


def test_short_sentences_that_are_spoken_along_tell_where_they_end(g2p: G2P) -> None:
    (one,) = g2p.sentences("An end.\n\n\nGo on. Sit down.\nEat up.\n\nIt is hot.")
    behind = [(one.phonemes[:first].split()[-1], one.phonemes[first:].split()[0], kind) for first, kind in one.breaks]
    assert behind == [
        ("ˈɛnd.", "ɡˌO", "heading"),
        ("ˌɔn.", "sˈɪt", "sentence"),
        ("dˌWn.", "ˈit", "list_item"),
        ("ˌʌp.", "ˌɪt", "paragraph"),
    ]


def test_a_line_without_a_full_stop_is_not_spoken_along(g2p: G2P) -> None:
    assert [(one.phonemes, one.end) for one in g2p.sentences("Go on\n\nSit down")] == [
        ("ɡˌO ˌɔn", "paragraph"),
        ("sˈɪt dˌWn", None),
    ]


def test_a_first_sentence_that_is_cut_at_a_clause_says_so(g2p: G2P) -> None:
    text = "Although the storm had already passed the harbour by midnight, and although the captain had not slept for"
    first, last = g2p.sentences(f"{text} two days, he refused to leave the deck until every rope had been checked.")
    assert (first.end, last.end) == ("clause", None)


def test_a_pause_may_come_first_or_alone(g2p: G2P) -> None:
    assert [(s.phonemes, s.pause) for s in g2p.sentences("[pause:2s]", markup=True)] == [("", 2.0)]
    assert [s.pause for s in g2p.sentences("[pause:2s] Hi.", markup=True)] == [2.0, None]


@pytest.mark.parametrize(
    "pause", ["[pause:11s]", "[pause:-1s]", "[pause:1]", "[pause:]", "[pause:1e9s]", "[pause:99999s]"]
)
def test_a_pause_that_cannot_be_is_refused(g2p: G2P, pause: str) -> None:
    with pytest.raises(InferenceServerException, match=r"INVALID_ARG: .*write it as"):
        g2p.sentence(f"One {pause} two.", markup=True)


@pytest.mark.parametrize("text", ["[brackets] stay", "a [link](https://example.com) here", "[x](/unclosed", "(/x/)"])
def test_other_brackets_are_text(g2p: G2P, text: str) -> None:
    assert list(g2p.sentences(text, markup=True))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Mr. Jones met Dr. Brown at St. James's Park at 5 p.m. on the last day of a very long week.", 1),
        ("The first sentence of this text is long enough. The second one of this text is long enough too.", 2),
        ("Version 3.5 of the programme costs 4.50 more than version 2.0 did in the year before that.", 1),
        ("“Will it ever stop raining in this part of the world?” she asked. Nobody there had an answer to it.", 2),
        ("A heading without any stop at its end\n\nThen a paragraph follows.", 2),
        ("这是一个很长很长的句子，用来测试句子的切分，看看它是不是在句号处断开了，因为很重要。" * 2, 2),
        ("No. Yes. No. Yes.", 1),
    ],
)  # fmt: skip
def test_text_is_cut_where_sentences_end(g2p: G2P, text: str, count: int) -> None:
    language = "zh" if text[0] == "这" else "en-US"
    assert len(list(g2p.sentences(text, language))) == count


def test_a_long_first_sentence_is_cut_at_a_clause(g2p: G2P) -> None:
    text = "When the rain had stopped at last, " + "they walked along the river and over the old bridge, " * 4 + "home."
    sentences = list(g2p.sentences(text))
    assert 20 <= len(sentences[0].phonemes) <= 120
    assert sentences[0].phonemes.endswith(",")
    assert len(sentences) == 2


@pytest.mark.parametrize("clause", ["word ", "word, "])
def test_no_sentence_is_longer_than_kokoro_takes(g2p: G2P, clause: str) -> None:
    text = (clause * 400)[:2_000].rstrip(", ")
    sentences = list(g2p.sentences(text))
    assert all(len(sentence.phonemes) <= 510 for sentence in sentences)
    words = [word for sentence in sentences for word in sentence.words]
    assert len(words) == len(text.split())
    assert all(one[3] <= other[2] for one, other in pairwise(words))


@pytest.mark.parametrize(("start", "message"), [(5, "5 characters"), (-1, "no sentence at -1"), (99, "no sentence")])
def test_a_start_outside_the_text_is_refused(g2p: G2P, start: int, message: str) -> None:
    with pytest.raises(InferenceServerException, match=f"INVALID_ARG: .*{message}"):
        g2p.sentence("hello", start=start)


def test_a_number_that_is_longer_than_a_sentence_may_be_is_read_in_parts(g2p: G2P) -> None:
    sentences = list(g2p.sentences("1234567890" * 5))
    assert len(sentences) > 1
    assert all(len(sentence.ids) <= 510 for sentence in sentences)
