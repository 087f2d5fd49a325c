"""Parses Markdown (CommonMark, tables, strikethrough) into elements: what a reader sees, without the markup."""

import html
import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from orchestrator.text.characters import CJK
from orchestrator.text.elements import CELL_BREAK, Element, Role, parse_plain

# The library drops what is nested deeper than its limit, in silence. The limit for blocks is therefore high, and a
# document that reaches it is read as plain text. Inline text is never dropped, and each level costs time: a low limit.
MAX_BLOCK_NESTING = 80
MAX_INLINE_NESTING = 10

_SOFT, _HARD = "\n", "\u2028"
_SOFT_BETWEEN_CJK = re.compile(rf"(?<=[{CJK}]){_SOFT}(?=[{CJK}])")
_INLINE_BREAK = re.compile(r"<br\b[^<>]*>", re.IGNORECASE)

# The standard library's HTML parser takes quadratic time on hostile input; these patterns read each character once.
_TAG = re.compile(r"<[/!?]?[A-Za-z\[][^<>]*>")
_BREAK = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6])\b[^<>]*>", re.IGNORECASE)
_HIDDEN = (("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>"))


def _parser(max_nesting: int) -> MarkdownIt:
    return MarkdownIt("commonmark", {"maxNesting": max_nesting}).enable(["table", "strikethrough"])


_blocks = _parser(MAX_BLOCK_NESTING)
_blocks.core.ruler.enableOnly(["normalize", "block"])
_inline = _parser(MAX_INLINE_NESTING)


def parse_markdown(text: str) -> list[Element]:
    """Returns the elements in reading order. Thematic breaks, comments and link addresses are not visible text."""
    environment: dict[str, Any] = {}
    tokens = _blocks.parse(text, environment)
    if any(token.level >= MAX_BLOCK_NESTING - 1 for token in tokens):
        return parse_plain(text)
    walk = _Walk(environment)
    for token in tokens:
        walk.take(token)
    return [element for element in walk.elements if element.shown]


class _Walk:
    """Follows the flat token stream and remembers which lists, quotes and headings are open."""

    def __init__(self, environment: dict[str, Any]) -> None:
        self.elements: list[Element] = []
        self._environment = environment
        self._quotes = 0
        self._lists: list[int | None] = []  # the next number of each open list, None in a bullet list
        self._pending: list[str] = []  # numbers of items whose text has not begun yet
        self._heading: int | None = None
        self._cells: list[str] | None = None

    def take(self, token: Token) -> None:  # noqa: C901, PLR0912 -- one case for each kind of token
        match token.type:
            case "inline":
                self._take_text(token.content)
            case "fence" | "code_block":
                self.elements.append(Element("code", token.content.rstrip("\n")))
            case "html_block":
                self._add(_strip_tags(token.content))
            case "heading_open":
                self._heading = int(token.tag[1:])
            case "heading_close":
                self._heading = None
            case "blockquote_open":
                self._quotes += 1
            case "blockquote_close":
                self._quotes -= 1
            case "bullet_list_open":
                self._lists.append(None)
            case "ordered_list_open":
                self._lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "list_item_open":
                number = self._lists[-1]
                if number is not None:
                    self._pending.append(f"{number}{token.markup}")
                    self._lists[-1] = number + 1
            case "list_item_close":
                self._pending.clear()  # an item without text of its own shows no number
            case "tr_open":
                self._cells = []
            case "tr_close":
                cells, self._cells = self._cells or [], None
                if any(cells):
                    self._add(CELL_BREAK.join(cells), "table_row")

    def _take_text(self, source: str) -> None:
        children: list[Token] = []
        _inline.inline.parse(source, _inline, self._environment, children)
        shown = _shown(children)
        if self._cells is not None:
            self._cells.append(" ".join(shown.split()))
        elif shown and all(child.type in {"image", "softbreak"} for child in children):
            self._add(shown, "image")
        else:
            self._add(shown)

    def _add(self, shown: str, role: Role | None = None) -> None:
        if not shown:
            return
        if self._pending:
            shown = " ".join([*self._pending, shown])
            self._pending.clear()
        level = None
        if role is None:
            if self._heading is not None:
                role, level = "heading", self._heading
            elif self._lists:
                role, level = "list_item", len(self._lists)
            else:
                role = "quote" if self._quotes else "paragraph"
        self.elements.append(Element(role, shown, level))


def _shown(tokens: Sequence[Token]) -> str:
    text = "".join(map(_visible, tokens))
    return _SOFT_BETWEEN_CJK.sub("", text).replace(_SOFT, " ").replace(_HARD, "\n").strip()


def _visible(token: Token) -> str:
    match token.type:
        case "text" | "text_special" | "code_inline":
            return token.content
        case "softbreak":
            return _SOFT
        case "hardbreak":
            return _HARD
        case "image":
            return "".join(map(_visible, token.children or []))
        case "html_inline":
            return _HARD if _INLINE_BREAK.match(token.content) else ""
        case _:
            return ""


def _strip_tags(source: str) -> str:
    """Returns the text in HTML, without tags, comments, scripts and styles; an unclosed one runs to the end."""
    for opening, closing in _HIDDEN:
        source = _remove(source, opening, closing)
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", source))).strip()


def _remove(source: str, opening: str, closing: str) -> str:
    folded = source.lower()
    if len(folded) != len(source):  # a few letters grow when lowered, and offsets would no longer agree
        folded = source
    kept, position = [], 0
    while (start := folded.find(opening, position)) >= 0:
        kept.append(source[position:start])
        end = folded.find(closing, start + len(opening))
        position = len(source) if end < 0 else end + len(closing)
    kept.append(source[position:])
    return "".join(kept)
