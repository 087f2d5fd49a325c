import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectern_triton.voice_backend.words import find_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The sky, above.", ["The", "sky", "above"]),
        ("“Quoted” (and bracketed) words!", ["Quoted", "and", "bracketed", "words"]),
        ("don't re-read e.g. this", ["don't", "re-read", "e.g", "this"]),
        ("one—two…three", ["one", "two", "three"]),
        ("It cost $3.50, or 50% of 1,234.", ["It", "cost", "$3.50", "or", "50%", "of", "1,234"]),
        ("Tom & Jerry", ["Tom", "&", "Jerry"]),
        ("a 🎉 and 👩\u200d💻!", ["a", "🎉", "and", "👩\u200d💻"]),
        ("Привет, мир", ["Привет", "мир"]),
        ("你好，世界", ["你", "好", "世", "界"]),
        ("iPhone的価格", ["iPhone", "的", "価", "格"]),
        ("ดีครับ", ["ดี", "ค", "รั", "บ"]),
        (" -- \n ... ", []),
    ],
)
def test_words_without_the_punctuation_around_them(text: str, words: list[str]) -> None:
    assert [text[word.start : word.end] for word in find_words(text)] == words


@given(st.text(max_size=60))
def test_words_are_in_order_and_leave_no_letter_out(text: str) -> None:
    covered = set()
    last = 0
    for word in find_words(text):
        assert last <= word.start < word.end <= len(text)
        last = word.end
        covered |= set(range(word.start, word.end))
    assert {position for position, character in enumerate(text) if character.isalnum()} <= covered
