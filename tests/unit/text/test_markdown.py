import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from orchestrator.text.elements import Element
from orchestrator.text.markdown import parse_markdown


def shown(text: str) -> list[str]:
    return [element.shown for element in parse_markdown(text)]


def roles(text: str) -> list[tuple[str, int | None]]:
    return [(element.role, element.level) for element in parse_markdown(text)]


def test_every_structure_has_its_role_and_level() -> None:
    text = "# One\n\nTwo\n---\n\nPara\n\n- item\n  - inner\n\n> quote\n\n![alt](x.png)\n\n"
    text += "```\ncode\n```\n\n| a |\n|---|\n| b |\n"
    assert roles(text) == [
        ("heading", 1),
        ("heading", 2),
        ("paragraph", None),
        ("list_item", 1),
        ("list_item", 2),
        ("quote", None),
        ("image", None),
        ("code", None),
        ("table_row", None),
        ("table_row", None),
    ]


def test_markup_is_not_shown() -> None:
    text = 'Some *emphasis*, **weight**, `code`, ~~gone~~, [a link](https://example.com "title") &amp; &eacute;\\*.'
    assert shown(text) == ["Some emphasis, weight, code, gone, a link & é*."]


def test_the_address_of_a_link_is_shown_only_where_it_is_the_text() -> None:
    assert shown("[Here](https://a.example/x) or <https://b.example/y>.") == ["Here or https://b.example/y."]


def test_link_definitions_comments_and_thematic_breaks_are_not_visible_text() -> None:
    assert shown("[a]\n\n[a]: https://example.com\n\n***\n\n<!-- note -->\n\nEnd") == ["a", "End"]


def test_citations_are_left_as_they_are() -> None:
    assert shown("As shown [5][6] before[^1].") == ["As shown [5][6] before[^1]."]


def test_ordered_items_show_the_number_a_reader_sees() -> None:
    assert shown("3. three\n3. four\n\ntext\n\n1) one") == ["3. three", "4. four", "text", "1) one"]


def test_only_the_first_paragraph_of_an_item_carries_its_number() -> None:
    assert shown("1. first\n\n   second\n\n2. next") == ["1. first", "second", "2. next"]


def test_a_number_waits_for_the_text_of_its_item() -> None:
    assert shown("1. 1. inner") == ["1. 1. inner"]
    assert shown("1. ```\n   code\n   ```\n2. next") == ["code", "2. next"]


def test_lists_and_headings_inside_a_quote_keep_their_roles() -> None:
    assert roles("> # Title\n> words\n>\n> 1. item\n>    > deeper") == [
        ("heading", 1),
        ("quote", None),
        ("list_item", 1),
        ("list_item", 1),
    ]


def test_a_soft_break_is_a_space_and_a_hard_break_a_line() -> None:
    assert shown("one\ntwo  \nthree\\\nfour<br>five") == ["one two\nthree\nfour\nfive"]


def test_a_soft_break_between_han_characters_is_nothing() -> None:
    assert shown("你好\n世界") == ["你好世界"]


def test_the_cells_of_a_row_are_separated_by_tabs_and_an_empty_row_is_nothing() -> None:
    assert shown("| a | b\tc |\n|---|---|\n| **d** | |\n| | |") == ["a\tb c", "d\t"]


def test_code_keeps_its_lines_and_spaces() -> None:
    assert parse_markdown("```py\nif a:\n    b\n\n```") == [Element("code", "if a:\n    b")]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<div>Some <b>bold</b> text</div>", "Some bold text"),
        ("<p>One</p><p>Two &lt; three</p>", "One\nTwo < three"),
        ("<script>alert('no')</script>\n", ""),
        ("<div>\n<!-- a\ncomment -->kept\n</div>", "kept"),
        ("<div>\n<style>b {}</style>kept <script>cut", "kept"),
        ("<div>2 < 3 and İ<!-- x --></div>", "2 < 3 and İ"),
    ],
)
def test_html_gives_its_text_and_nothing_else(source: str, text: str) -> None:
    assert "".join(shown(source)) == text


def test_nesting_that_the_parser_would_drop_is_read_as_plain_text() -> None:
    text = "".join(">" * depth + " deep\n" for depth in range(1, 120))
    assert "".join(shown(text)).count("deep") == 119


_SNIPPETS = st.sampled_from(
    ["# ", "- ", "1. ", "> ", "**", "*", "_", "`", "[", "](x)", "![", "|", "\n", "\n\n", "  \n", "    ", "~~", "\\"]
)


@settings(deadline=None)
@given(st.lists(_SNIPPETS | st.from_regex(r"[a-z]{1,4} ", fullmatch=True), max_size=30).map("".join))
def test_no_visible_letter_is_dropped_or_doubled(text: str) -> None:
    """Against the library's own HTML, whose tags are the markup and whose text is what a reader sees."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    html = re.sub(r'<img src="[^"]*" alt="([^"]*)"[^>]*>', r"\1", parser.render(text))
    visible = re.sub(r"<[^>]*>", "\n", html)
    assert re.findall(r"[a-z]", "".join(shown(text))) == re.findall(r"[a-z]", re.sub(r"&[a-z]+;", "", visible))
