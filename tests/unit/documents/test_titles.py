import pytest

from orchestrator.documents.service import title_of


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# The lighthouse\n\nIt stood.", "The lighthouse"),
        ("\n\n   A first line  with   spaces\nmore", "A first line with spaces"),
        ("> *quoted* first", "quoted* first"),
        ("---\n\n## 1. Chapter one ##", "Chapter one"),
        ("1984 was a year", "was a year"),
        ("***\n!!!", "***"),
    ],
)
def test_the_first_words_make_the_title(text: str, title: str) -> None:
    assert title_of(text) == title
