import re
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lectern_contract as contract
from orchestrator.text.blocks import BlockDraft, cut_document
from orchestrator.text.elements import parse_plain
from orchestrator.text.markdown import parse_markdown

SENTENCE = "The quick brown fox, which had slept all day, ran over the hill and was not seen again. "  # about 6 seconds
TOLERANCE = 0.01  # estimates are rounded


def spoken(text: str, format: Literal["markdown", "text"] = "markdown") -> list[str]:  # noqa: A002
    return [block.spoken for block in cut_document(text, format)]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def test_a_text_without_visible_characters_has_no_blocks() -> None:
    assert cut_document(" \n\n\t\n") == []
    assert cut_document("", "text") == []
    assert cut_document("***\n\n[a]: https://example.com") == []


def test_a_lone_short_document_stays_as_it_is() -> None:
    (block,) = cut_document("# Hello")
    assert (block.role, block.level, block.shown, block.spoken) == ("heading", 1, "Hello", "Hello.")
    assert block.spans == [(0, 5, 0, 5), (5, 6, 5, 5)]


def test_paragraphs_of_five_words_are_blocks_of_their_own() -> None:
    assert spoken("This one has five words.\n\nAnd so has this one.") == [
        "This one has five words.",
        "And so has this one.",
    ]


def test_a_short_heading_shares_the_block_of_what_follows_and_is_a_part_of_it() -> None:
    before, block = cut_document("Words that came before this.\n\n## The end\n\nSome words that follow it.")
    assert before.spoken == "Words that came before this."
    assert (block.role, block.level) == ("paragraph", None)
    assert block.shown == "The end\nSome words that follow it."
    assert block.spoken == "The end.\n\n\nSome words that follow it."
    assert [(part.role, part.level) for part in block.parts] == [("heading", 2), ("paragraph", None)]
    heading = block.parts[0]
    assert block.shown[heading.shown_start : heading.shown_end] == "The end"
    assert block.spoken[heading.spoken_start : heading.spoken_end] == "The end."


def test_a_heading_with_nothing_after_it_shares_the_block_before() -> None:
    (block,) = cut_document("Words that came before this.\n\n# End")
    assert [part.role for part in block.parts] == ["paragraph", "heading"]


def test_a_heading_of_five_words_stands_alone() -> None:
    assert [b.role for b in cut_document("# A heading of five words\n\nAnd a paragraph after it.")] == [
        "heading",
        "paragraph",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A heading of five words\n\nAnd a paragraph after it.", ["heading", "paragraph"]),
        (
            "Words that came before this.\n\n## A heading of five words\n\nThe last words of it.",
            ["heading"] * 2 + ["paragraph"],
        ),
        (f"- {SENTENCE}\n- {SENTENCE}\n\nAnd a paragraph after it.", ["list_item", "list_item", "paragraph"]),
        ("| a table of some words | here |\n|---|---|\n| and a row of words | too |", ["list_item", "list_item"]),
        ("> Words of somebody else here.\n\nAnd a paragraph after it.", ["paragraph", "paragraph"]),
        (SENTENCE * 8, ["sentence", "paragraph"]),
        ("a very long clause without any end and, " * 20, ["clause", "paragraph"]),
        ("word " * 120, [None, "paragraph"]),
    ],
)
def test_each_block_tells_what_ends_with_it(text: str, expected: list[str | None]) -> None:
    ends = [block.ends for block in cut_document(text)]
    assert (ends[:1] + ends[-1:] if len(expected) == 2 else ends) == expected


def test_short_items_share_a_block_and_not_with_the_text_around_them() -> None:
    text = "These are the things we need:\n\n- milk\n- bread\n- one dozen eggs\n\nThat is all we need."
    assert spoken(text) == ["These are the things we need:", "milk.\nbread.\none dozen eggs.", "That is all we need."]


def test_numbers_of_items_are_shown_and_spoken() -> None:
    (block,) = cut_document("1. First\n2. Second")
    assert block.shown == "1. First\n2. Second"
    assert block.spoken == "1. First.\n2. Second."


def test_code_is_shown_but_not_spoken_and_no_block_spans_it() -> None:
    blocks = cut_document("Look:\n\n```\nx = 1\n```\n\nDone.")
    assert [(block.role, block.spoken) for block in blocks] == [
        ("paragraph", "Look:"),
        ("code", ""),
        ("paragraph", "Done."),
    ]
    assert (blocks[1].shown, blocks[1].spans, blocks[1].estimated_seconds) == ("x = 1", [], 0.0)


def test_what_has_neither_letter_nor_digit_is_not_spoken() -> None:
    assert spoken("One two three four five.\n\n\\* \\* \\*\n\nSix seven eight nine ten.") == [
        "One two three four five.",
        "",
        "Six seven eight nine ten.",
    ]


def test_a_long_paragraph_is_cut_at_sentences_into_even_blocks() -> None:
    blocks = cut_document(SENTENCE * 9)
    assert all(block.spoken.endswith("again.") for block in blocks)
    assert all(10 <= block.estimated_seconds <= 20 for block in blocks)
    seconds = [block.estimated_seconds for block in blocks]
    assert max(seconds) - min(seconds) < 7


def test_a_short_last_sentence_stays_with_the_one_before() -> None:
    blocks = cut_document(SENTENCE * 4 + "So it was.")
    assert [len(words(block.spoken)) >= 5 for block in blocks] == [True, True]
    assert blocks[-1].spoken.endswith("again. So it was.")


def test_a_long_sentence_is_cut_at_clauses() -> None:
    blocks = cut_document("and then the next thing that happened was another, " * 12 + "at the end.")
    assert len(blocks) > 1
    assert all(block.spoken.endswith(",") for block in blocks[:-1])


def test_without_clauses_it_is_cut_between_words() -> None:
    text = "word " * 300
    assert " ".join(spoken(text)) == text.strip() + "."
    assert all(10 <= block.estimated_seconds <= 20 for block in cut_document(text))


def test_an_endless_word_is_cut_between_characters_that_a_reader_sees() -> None:
    family = "👩\u200d👩\u200d👧"
    texts = spoken(("e\u0301" + "क्षि" + family) * 500)
    assert len(texts) > 1
    assert all(not text.startswith(("\u0301", "\u200d", "ष", "\u093f", "\u094d")) for text in texts)
    assert all(not text.endswith("\u200d") for text in texts)


def test_han_without_spaces_is_cut_at_its_own_stops() -> None:
    texts = spoken("很久以前，人们希望机器能够说话。他们用了很多年。" * 20)
    assert all(text.endswith("。") for text in texts)
    assert len(texts) > 4


def test_plain_text_is_not_read_as_markdown() -> None:
    (block,) = cut_document("# not *a* heading at all\r\nnext line", "text")
    assert (block.role, block.shown) == ("paragraph", "# not *a* heading at all\r\nnext line")
    assert block.spoken == "# not *a* heading at all next line."


def test_blank_lines_separate_plain_paragraphs() -> None:
    assert spoken("one two three four five\n \t\r\n\r\nsix seven eight nine ten\n", "text") == [
        "one two three four five.",
        "six seven eight nine ten.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "![" * 20_000,
        ">" * 100_000,
        "- " * 100_000,
        "*a " * 50_000,
        "<" * 100_000,
        "a <![CDATA[" * 5_000,
        "a" * 300_000,
        "好" * 100_000,
        "😀" * 300_000,
        "😀a" * 50_000,
        "!?" * 100_000,
        "a" + "!?" * 100_000,
        "a" + "\u0301" * 100_000,
        "a. “" * 20_000,
        '"' * 100_000,
        "a\n\n" * 20_000,
        "שלום עולם, מה שלומך. " * 3_000,
        "\n" * 300_000,
        " " * 300_000,
        "| a " * 5_000 + "\n" + "|-" * 5_000,
    ],
    ids=lambda text: repr(text[:6]),
)
@pytest.mark.timeout(60)
def test_hostile_text_is_cut_all_the_same(text: str) -> None:
    for block in cut_document(text):
        assert len(block.spoken) <= contract.MAX_TEXT
        assert block.estimated_seconds <= 20 + TOLERANCE


_WORDS = st.text(st.sampled_from("abcXYZ019é好あ한नש\u0301"), min_size=1, max_size=12)
_MARKS = st.sampled_from(["", ".", ",", "!", "?", ";", '."', ")", "…", "。", "、", " –", ":", "!?!?"])
_SENTENCES = st.lists(st.tuples(_WORDS, _MARKS).map("".join), min_size=1, max_size=60).map(" ".join)
_PREFIXES = st.sampled_from(["", "", "# ", "### ", "- ", "1. ", "> ", "    ", "* * *\n\n", "👍\n\n", "x" * 900])
_DOCUMENTS = st.lists(st.tuples(_PREFIXES, _SENTENCES).map("".join), max_size=12).map("\n\n".join)


@settings(max_examples=60, deadline=None)
@given(_DOCUMENTS | st.text(max_size=300), st.sampled_from(["markdown", "text"]))
def test_blocks_say_every_word_of_the_document_once(text: str, format: Literal["markdown", "text"]) -> None:  # noqa: A002
    elements = parse_markdown(text) if format == "markdown" else parse_plain(text)
    blocks = cut_document(text, format)

    def letters(texts: list[str]) -> str:
        return "".join(c for text in texts for c in text if c.isalnum())

    assert letters([b.shown for b in blocks]) == letters([element.shown for element in elements])
    assert letters([b.spoken for b in blocks]) == letters([element.shown for element in elements if element.is_spoken])
    for block in blocks:
        check(block)


def check(block: BlockDraft) -> None:
    assert len(block.spoken) <= contract.MAX_TEXT
    assert block.estimated_seconds <= 20 + TOLERANCE
    assert all(line == " ".join(line.split()) for line in block.spoken.split("\n"))
    assert "\n" * 4 not in block.spoken
    position = reached = 0
    for spoken_start, spoken_end, shown_start, shown_end in block.spans:
        assert spoken_start == position < spoken_end
        assert reached <= shown_start <= shown_end <= len(block.shown)
        if spoken_end - spoken_start == shown_end - shown_start:
            said, seen = block.spoken[spoken_start:spoken_end], block.shown[shown_start:shown_end]
            assert said.split() == seen.split()
        position, reached = spoken_end, shown_end
    assert position == len(block.spoken)
    assert block.role in {part.role for part in block.parts}
    ends = (0, 0)
    for part in block.parts:
        assert ends <= (part.shown_start, part.spoken_start)
        assert part.shown_start <= part.shown_end
        seen = block.shown[part.shown_start : part.shown_end]
        said = block.spoken[part.spoken_start : part.spoken_end]
        assert part.role in {"code", "table_row"} or seen == seen.strip()
        assert not said or [c for c in said if c.isalnum()] == [c for c in seen if c.isalnum()]
        ends = (part.shown_end, part.spoken_end)
    assert ends == (len(block.shown), len(block.spoken))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["# ", "- ", "> ", ""]), st.integers(1, 90)).map(
            lambda paragraph: paragraph[0] + " ".join(["word"] * paragraph[1])
        ),
        min_size=2,
        max_size=12,
    ).map("\n\n".join)
)
def test_no_block_is_a_fragment_if_the_document_is_none(text: str) -> None:
    blocks = cut_document(text)
    if len(words(text)) >= 5:
        assert all(len(words(block.spoken)) >= 5 for block in blocks)
