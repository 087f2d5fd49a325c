import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.text.spoken_text import to_spoken


@pytest.mark.parametrize(
    ("shown", "spoken"),
    [
        ("A heading", "A heading."),
        ("Why?", "Why?"),
        ("He said “Yes.”", "He said “Yes.”"),
        ("Left (or right)", "Left (or right)."),
        ("As follows:", "As follows:"),
        ("Growth of 5%", "Growth of 5%."),
        ("第一章", "第一章。"),
        ("「行こう」", "「行こう」。"),
        ("第一章。", "第一章。"),
        ("अध्याय", "अध्याय।"),
        ("Глава", "Глава."),
    ],
)
def test_an_element_without_an_end_gets_the_full_stop_of_its_script(shown: str, spoken: str) -> None:
    assert to_spoken(shown).text == spoken


@pytest.mark.parametrize(
    ("shown", "spoken"),
    [
        ("  two \t\n  words  ", "two words"),
        ("soft\u00adhyphen\u200b and\ufeff mark", "softhyphen and mark"),
        ("你好\n世界", "你好世界"),
        ("Chapter 1 ............ 5", "Chapter 1 … 5"),
        ("no!!!!!!!!", "no!"),
        ("so...", "so..."),
    ],
)
def test_what_is_not_heard_is_left_out(shown: str, spoken: str) -> None:
    assert to_spoken(shown, stop=False).text == spoken


def test_cells_are_separated_by_commas_unless_they_end_in_a_pause() -> None:
    assert to_spoken("Year\tWho?\t\t5", cells=True).text == "Year, Who? 5."
    assert to_spoken("not\tcells").text == "not cells."


def test_without_words_apart_from_blanks_nothing_is_said() -> None:
    assert to_spoken(" \t\u200b ").text == ""


_TEXT = st.text(st.sampled_from("aB1é好あ한न👍\u0301\u200d\u00ad\u200b \t\n.!?,;—()\"'“”-·"), max_size=60) | st.text(
    max_size=60
)


@settings(deadline=None)
@given(_TEXT, st.booleans())
def test_spans_lead_every_spoken_character_back(shown: str, cells: bool) -> None:  # noqa: FBT001
    spoken, spans = to_spoken(shown, cells=cells)
    position = reached = 0
    for spoken_start, spoken_end, shown_start, shown_end in spans:
        assert spoken_start == position < spoken_end
        assert reached <= shown_start <= shown_end <= len(shown)
        if spoken_end - spoken_start == shown_end - shown_start == 1 and spoken[spoken_start] == " ":
            assert shown[shown_start].isspace()
        elif spoken_end - spoken_start == shown_end - shown_start:
            assert "".join(spoken[spoken_start:spoken_end].split()) == "".join(shown[shown_start:shown_end].split())
        else:
            assert spoken_end - spoken_start == 1
        position, reached = spoken_end, shown_end
    assert position == len(spoken)


@settings(deadline=None)
@given(_TEXT, st.booleans())
def test_every_letter_and_digit_is_said_once_and_in_order(shown: str, cells: bool) -> None:  # noqa: FBT001
    spoken = to_spoken(shown, cells=cells).text
    assert [c for c in spoken if c.isalnum()] == [c for c in shown if c.isalnum()]
    assert spoken == " ".join(spoken.split(" ")).strip()
    assert "  " not in spoken
