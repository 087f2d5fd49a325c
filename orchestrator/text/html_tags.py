"""HTML inside Markdown: the tags go, the text stays.

The standard library's parser takes quadratic time on hostile input; this scanner reads each character once.
"""

import html
import re

_TAG = re.compile(r"<[/!?]?[A-Za-z\[][^<>]*>")
_BREAK = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6])\b[^<>]*>", re.IGNORECASE)
_HIDDEN = (("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>"))


def strip_markup(source: str) -> str:
    """Return the text of a piece of HTML, without comments, scripts and styles; an unclosed one runs to the end."""
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
