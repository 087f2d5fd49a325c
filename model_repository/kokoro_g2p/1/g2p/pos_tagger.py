"""Tags parts of speech by rules, where spaCy's English model is not installed.

misaki needs the tags to tell punctuation from words, for the weak and strong forms of small words, and for words with
two pronunciations, such as "record".
"""

import re
from typing import Final

from spacy.tokens import Doc, Token

_SIGNS: Final = {
    **dict.fromkeys(".!?", "."), ",": ",", **dict.fromkeys((";", ":", "...", "…", "-", "–", "—", "--"), ":"),  # noqa: RUF001
    **dict.fromkeys("([{", "-LRB-"), **dict.fromkeys(")]}", "-RRB-"),
    **dict.fromkeys(("“", "‘", "``"), "``"), **dict.fromkeys(('"', "”", "''"), "''"), **dict.fromkeys("$£€¥₹", "$"),  # noqa: RUF001
}  # fmt: skip


def _words(tag: str, words: str) -> dict[str, str]:
    return dict.fromkeys(words.split(), tag)


_CLOSED: Final = {
    **_words("DT", "the a an this that these those every each some any no another either neither both all"),
    **_words("IN", "in of for on with at by from as into about through over after before under between against during"
             " without within upon than because if while although though since until unless per via vs whether like"),
    **_words("PRP", "i you he she it we they me him her us them myself himself herself itself ourselves themselves"),
    **_words("PRP$", "my your his its our their"),
    **_words("MD", "can could will would shall should may might must 'll 'd cannot"),
    **_words("CC", "and or but nor yet"),
    **_words("WP", "who what whom"), **_words("WDT", "which"), **_words("WRB", "when where why how"),
    **_words("RB", "not n't never always often soon then there here very too also just again still already once now"),
    **_words("VBZ", "is has does 's"), **_words("VBP", "am are have do 're 've 'm"),
    **_words("VBD", "was were had did"), **_words("VB", "be"), **_words("VBN", "been done gone"), "to": "TO",
}  # fmt: skip
_NUMBER = re.compile(r"[\d.,]*\d[\d.,]*(?:st|nd|rd|th)?|one|two|three|four|five|six|seven|eight|nine|ten")
# After these a verb in its plain form follows, and after those a noun.
_BEFORE_VERBS: Final = frozenset({"TO", "MD"})
_BEFORE_NOUNS: Final = frozenset({"DT", "PRP$", "JJ", "CD", "POS"})
_PAST: Final = re.compile(r"\b(?:yesterday|ago|last|had|was|were|did|once|earlier)\b", re.IGNORECASE)


def tag(doc: Doc) -> Doc:
    """Sets each token's tag of the Penn Treebank."""
    past = bool(_PAST.search(doc.text))
    before = helper = ""
    for token in doc:
        token.tag_ = tag = _tag(token, before, helper, past=past)
        helper = _helper(token, tag, helper)
        before = tag
    return doc


def _helper(token: Token, tag: str, before: str) -> str:
    """Returns the tag of the next word's auxiliary verb: MD in "could not …" and "did you …", VBN in "has …"."""
    low = token.lower_
    following = token.nbor().lower_ if token.i + 1 < len(token.doc) else ""
    if tag == "MD" or (low in ("do", "does", "did") and _CLOSED.get(following) in ("PRP", "RB")):
        return "MD"
    if low in ("have", "has", "had", "'ve", "’ve"):  # noqa: RUF001
        return "VBN"
    return before if tag in ("RB", "PRP") else ""


def _tag(token: Token, before: str, helper: str, *, past: bool) -> str:
    text, low = token.text, token.lower_
    if text in _SIGNS:
        return _SIGNS[text]
    if not any(sign.isalnum() for sign in text):
        return "." if text[0] in ".!?" else ":" if text[0] in "-–—:;…" else "SYM"  # noqa: RUF001
    if low == "'s" and before in ("NN", "NNP", "NNS"):
        return "POS"
    if low in _CLOSED:
        return "NN" if text == "A" and _is_letter(token) else _in_context(token, _CLOSED[low])
    if _NUMBER.fullmatch(low):
        return "CD"
    return _open_class(token, before, helper, past=past)


def _is_letter(token: Token) -> bool:
    """Tells "Plan A and …" from the article, which has a capital where a sentence begins, and in titles."""
    following = token.nbor().text if token.i + 1 < len(token.doc) else ""
    return token.i > 0 and token.nbor(-1).text[-1] not in '.!?…:"“‘(' and not following[:1].isupper()  # noqa: RUF001


def _open_class(token: Token, before: str, helper: str, *, past: bool) -> str:
    """A noun, verb or adverb, by its ending and by what stands in front of it."""
    text, low = token.text, token.lower_
    rules = (
        (low.endswith("ly"), "RB"),
        (before in _BEFORE_VERBS or (helper == "MD" and before in ("RB", "PRP")), "VB"),
        (helper == "VBN" and (low == "read" or low.endswith("ed")), "VBN"),
        (text[0].isupper() and token.i > 0 and before not in (".", "``", ":"), "NNP"),
        (before == "PRP", "VBD" if past or low.endswith("ed") else "VBP"),
        (low.endswith("ing"), "VBG"),
        (low.endswith("ed"), "VBD"),
        (before in _BEFORE_NOUNS, "NN"),
        (low.endswith("s") and not low.endswith("ss"), "NNS"),
    )
    return next((tag for holds, tag in rules if holds), "NN")


def _in_context(token: Token, usual: str) -> str:
    """Tells the conjunction "that", in front of a clause, from the determiner."""
    following = token.nbor().lower_ if token.i + 1 < len(token.doc) else ""
    if token.lower_ == "that" and _CLOSED.get(following) in ("PRP", "DT", "PRP$"):
        return "IN"
    return usual
