from hypothesis import given
from hypothesis import strategies as st

from espeak_voice.speakable_text import make_speakable

ORDINARY = (
    "The sky above the port was the colour of television, tuned to a dead channel. It cost $3.50 on 12/03/1999, "
    "and nobody (not even Dr. Smith) had seen http://example.com/a/page?with=words before. "
)


def test_ordinary_text_is_left_as_it_is() -> None:
    assert make_speakable(ORDINARY * 5).text == ORDINARY * 5


def test_a_long_word_is_cut_by_spaces() -> None:
    parts = make_speakable("7" * 100).text.replace(",", "").split(" ")
    assert "".join(parts) == "7" * 100
    assert max(map(len, parts)) <= 20


def test_a_hyphen_between_a_sign_and_another_script_gets_a_space() -> None:
    assert make_speakable("’-नमस्ते, «»-слово").text == "’- नमस्ते, «»- слово"
    assert make_speakable("-नमस्ते, кто-то, well-known, ’-tis").text == "-नमस्ते, кто-то, well-known, ’-tis"


def test_a_long_clause_gets_commas_between_its_words() -> None:
    text = "$3.50 " * 100
    broken = make_speakable(text)
    assert broken.text.replace(",", "") == text
    assert max(map(len, broken.text.split(","))) < 120


def test_offsets_lead_back() -> None:
    text = "你好" * 100
    broken = make_speakable(text)
    for position, character in enumerate(broken.text):
        if character not in ", ":
            assert text[broken.origin(position)] == character
    assert broken.origin(len(broken.text)) == len(text)
    assert broken.origin(10**6) == len(text)


@given(st.text(alphabet="aB7你🎉 ,.-\u0301", max_size=600))
def test_nothing_is_changed_or_taken_away(text: str) -> None:
    broken = make_speakable(text)
    assert len(broken.origins) == len(broken.text) + 1
    assert broken.origins == sorted(broken.origins)
    rest = iter(broken.text)
    assert all(character in rest for character in text)
    assert set(broken.text) <= set(text) | set(", ")
