"""Plain text knows one structure: paragraphs, with blank lines between them."""

import re
from collections.abc import Iterator

from orchestrator.text.elements import Element

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


def find_paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Yield the ``(start, end)`` of each paragraph, without the white space around it."""
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
    return [Element("paragraph", text[start:end]) for start, end in find_paragraphs(text)]
