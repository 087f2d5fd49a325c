import pytest

from orchestrator.lib.errors.problems import BadRequest, Problem, TooLarge
from orchestrator.lib.text_input import check_text


@pytest.mark.parametrize("text", ["plain", "tabs\tand\r\nlines\n", "form\ffeed", "naïve 日本語 🎧 עברית", "\u200b x"])
def test_text_is_accepted(text: str) -> None:
    check_text(text, field="text", limit=100)


@pytest.mark.parametrize(
    ("text", "error", "hint"),
    [
        ("", BadRequest, "empty"),
        (" \n\t ", BadRequest, "empty"),
        ("x" * 101, TooLarge, "at most 100"),
        ("a\x00b", BadRequest, "U\\+0000 at character 1"),
        ("\x1b[31mred", BadRequest, "U\\+001B"),
        ("a\x85b", BadRequest, "U\\+0085"),
        ("half \ud83d", BadRequest, "surrogate pair at character 5"),
    ],
)
def test_text_is_refused_with_what_to_change(text: str, error: type[Problem], hint: str) -> None:
    with pytest.raises(error, match=hint):
        check_text(text, field="text", limit=100)
