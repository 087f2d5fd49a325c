"""Tags punctuation: misaki makes pauses, quotation marks and dashes by these tags.

A trained tagger sometimes takes a sign for a word, which would lose its pause.
"""

from typing import Final

from spacy.tokens import Doc, Token

_TAGS: Final = {
    **dict.fromkeys(".!?", "."), ",": ",", **dict.fromkeys((";", ":", "...", "…", "–", "—", "--"), ":"),  # noqa: RUF001
    **dict.fromkeys("([{", "-LRB-"), **dict.fromkeys(")]}", "-RRB-"),
    **dict.fromkeys(("“", "‘", "``", "«"), "``"), **dict.fromkeys(("”", "''", "»"), "''"),  # noqa: RUF001
    **dict.fromkeys("$£€¥₹", "$"),
}  # fmt: skip
_SHORTENED: Final = frozenset({"n", "em", "til", "tis", "twas", "cause", "cos", "bout"})  # with an apostrophe in front


def tag(doc: Doc) -> Doc:
    """Sets the tag of each token without letters and digits."""
    for token in doc:
        if not any(sign.isalnum() for sign in token.text):
            token.tag_ = tag_of(token)
    return doc


def tag_of(token: Token) -> str:
    text = token.text
    if text == '"':
        return "``" if _opens(token) else "''"
    if text in ("'", "’"):  # noqa: RUF001
        return _single_quote(token)
    if text == "-":
        apart = token.i > 0 and bool(token.nbor(-1).whitespace_)
        return ":" if apart or token.whitespace_ else "HYPH"
    if text in _TAGS:
        return _TAGS[text]
    return "." if text[0] in ".!?" else ":" if text[0] in "-–—:;…" else "SYM"  # noqa: RUF001


def _opens(quote: Token) -> bool:
    before = quote.nbor(-1) if quote.i else None
    return not quote.whitespace_ and (before is None or bool(before.whitespace_) or before.text in "([—–")  # noqa: RUF001


def _single_quote(token: Token) -> str:
    """Tells quotation marks from apostrophes: what closes has been opened."""
    following = token.nbor().lower_ if token.i + 1 < len(token.doc) else ""
    if token.text == "'" and _opens(token) and following not in _SHORTENED and not following[:1].isdigit():
        return "``"
    open_before = any(one.tag_ == "``" and one.text in ("'", "‘") for one in token.doc[: token.i])  # noqa: RUF001
    return "''" if open_before else "POS"
