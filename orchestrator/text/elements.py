"""The structural elements of a document, as a reader sees them, and plain text, whose only elements are paragraphs."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from orchestrator.text.estimate import has_words

Role = Literal["heading", "paragraph", "list_item", "quote", "table_row", "image", "code"]

CELL_BREAK = "\t"  # stands between the cells of a table row, in shown text; no cell can contain it

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


class Element(NamedTuple):
    """One element. ``level`` is 1 to 6 for a heading and the depth (1 = outermost) for a list item, else None."""

    role: Role
    shown: str
    level: int | None = None

    @property
    def is_spoken(self) -> bool:
        """Whether the element is read aloud. Code is not, nor is text without a letter or digit."""
        return self.role != "code" and has_words(self.shown)


def find_paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Yields the ``(start, end)`` of each paragraph, without the white space around it."""
    start = end = 0
    inside = False
    for line in _LINE.finditer(text):
        content = line.group().rstrip()
        if content:
            if not inside:
                start = line.start() + len(content) - len(content.lstrip())
            inside, end = True, line.start() + len(content)
        elif inside:
            inside = False
            yield start, end
    if inside:
        yield start, end


def parse_plain(text: str) -> list[Element]:
    """Returns the paragraphs, which blank lines separate."""
    return [Element("paragraph", text[start:end]) for start, end in find_paragraphs(text)]
