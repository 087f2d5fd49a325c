from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from orchestrator.text.sentences import load_pipeline, sentence_starts

LEAD = "This opening sentence is long enough to be worth a pipeline."


def sentences(text: str, language: str = "en") -> list[str]:
    """The sentences of ``text``, which is read behind a long sentence so that the pipeline does it."""
    whole = f"{LEAD} {text}"
    (starts,) = sentence_starts([whole], language)
    found = [whole[start:end].strip() for start, end in zip([0, *starts], [*starts, len(whole)], strict=True)]
    assert found[0] == LEAD
    return found[1:]


@pytest.mark.parametrize(
    "expected",
    [
        ['"Why?" she asked.', '"No." And he left.'],
        ["He said “Go!” and left.", "“Why?” she asked.", "‘So.’"],
        ["See Fig. 3 and Fig. A here.", "Then look."],
        ["Dr. Smith met Mrs. Jones in St. Paul, e.g. today.", "They spoke."],
        ["So did I.", "Then we left."],
        ["Take vitamin C.", "The rest is easy."],
        ["J. R. R. Tolkien wrote it.", "People read it."],
        ["It is No. 5 on p. 7 of vol. 2.", "No.", "It is not."],
        ["It cost $3.50 in 1984.", "Then it rose by 5%."],
        ["Wait ... what?", "He stopped.", "(It was late.)", "Nothing moved."],
        ["The U.S. economy grew approx. twice.", "Good!"],
    ],
)
def test_english_sentences_end_where_a_reader_would_say(expected: list[str]) -> None:
    text = " ".join(expected)
    got = sentences(text)
    if expected[0].startswith('"Why'):
        expected = ['"Why?" she asked.', '"No."', "And he left."]
    assert got == expected


def test_text_in_lower_case_has_sentences_too() -> None:
    (starts,) = sentence_starts(["all of this is in lower case. so is this one. and this."], "en")
    assert len(starts) == 2


def test_the_number_of_a_list_item_is_no_sentence() -> None:
    (starts,) = sentence_starts(["1. 2) The first of the two. It has a second sentence."], "en")
    assert starts == [28]


@pytest.mark.parametrize("language", ["en", "ja", "zh-Hant", "qq", "", "not a language"])
def test_wide_stops_end_sentences_in_any_language(language: str) -> None:
    text = "これはとても長い文章の始まりであると言えるでしょう。短い！「本当？」そうです。"
    (starts,) = sentence_starts([text], language)
    cuts = [text[start:end] for start, end in zip([0, *starts], [*starts, len(text)], strict=True)]
    assert cuts == ["これはとても長い文章の始まりであると言えるでしょう。", "短い！", "「本当？」", "そうです。"]


@pytest.mark.parametrize("language", ["hi", "qq"])
def test_a_danda_ends_a_sentence(language: str) -> None:
    text = "यह एक बहुत लंबा वाक्य है जो यहाँ समाप्त होता है। दूसरा वाक्य। तीसरा?"
    (starts,) = sentence_starts([text], language)
    assert [text[start] for start in starts] == ["द", "त"]


def test_a_language_without_a_pipeline_is_cut_by_rule() -> None:
    assert load_pipeline("qq") is None
    assert load_pipeline("../os") is None
    assert load_pipeline("en-GB") is load_pipeline("en_US") is not None
    assert sentences("Un, dos. Tres!", "qq") == ["Un, dos.", "Tres!"]


def test_endless_words_are_cut_by_rule() -> None:
    text = "a" * 300 + ". Then more. " + "?!" * 5_000
    (starts,) = sentence_starts([text], "en")
    assert starts[:2] == [302, 313]


def test_many_texts_keep_their_order() -> None:
    texts = [LEAD, "short. One", "x" * 300, f"{LEAD} {LEAD}", ""]
    assert list(sentence_starts(texts, "en")) == [[], [7], [], [len(LEAD) + 1], []]


def test_threads_that_need_a_pipeline_at_once_load_it_once() -> None:
    together = Barrier(4)

    def load(_: int) -> object:
        together.wait()
        return load_pipeline("sv")

    with ThreadPoolExecutor(4) as threads:
        loaded = list(threads.map(load, range(4)))
    assert loaded[0] is not None
    assert all(one is loaded[0] for one in loaded)
