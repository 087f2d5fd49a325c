"""Four hundred English sentences with words of several readings, and floors on how many are read as they should be."""

from typing import Any

import pytest

from tests import english_tagger
from tests.contract.models_environment import G2P, ROOT, answer_of

FIXTURE = ROOT / "tests" / "fixtures" / "g2p" / "homographs.txt"
QUOTES = "“”"
LEAST = 0.98  # of the sentences


def sentences() -> list[tuple[str, str]]:
    lines = FIXTURE.read_text(encoding="utf-8").splitlines()
    readings = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(reading, sentence) for reading, sentence in readings]


def heard(sentence: dict[str, Any], marked: str, reading: str) -> str:
    """Returns the phonemes of the word between stars, or all quotation marks if the reading is of those."""
    if set(reading) <= set(QUOTES):
        return "".join(sign for sign in sentence["phonemes"] if sign in QUOTES)
    place = marked.index("*")
    return next(
        (sentence["phonemes"][first:last] for first, last, start, end in sentence["words"] if start <= place < end), ""
    )


@pytest.fixture(scope="module", params=["rules", "trained"])
def misread(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Sentences that are read wrongly, by our rules and by spaCy's tagger."""
    folder = tmp_path_factory.mktemp("kokoro_g2p")
    (folder / "1").symlink_to(G2P)
    if request.param == "trained":
        english_tagger.install_beside(folder)
    asked = sentences()
    answers = answer_of("english_sentences.py", [marked.replace("*", "") for _, marked in asked], folder / "1")
    said = [heard(answer, marked, reading) for answer, (reading, marked) in zip(answers, asked, strict=True)]
    return [f"{was} for {should}: {marked}" for was, (should, marked) in zip(said, asked, strict=True) if was != should]


def test_there_are_four_hundred_sentences() -> None:
    assert len({marked for _, marked in sentences()}) == len(sentences()) > 400


def test_words_of_two_readings_are_read_as_their_sentence_has_them(misread: list[str]) -> None:
    assert len(misread) <= (1 - LEAST) * len(sentences()), "\n".join(misread)
