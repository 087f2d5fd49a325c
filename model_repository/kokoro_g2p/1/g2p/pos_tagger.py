"""Tags parts of speech by rules, where spaCy's English model is not installed.

misaki needs the tags to tell punctuation from words, for the weak and strong forms of small words, and for words with
two pronunciations, such as "record".
"""

import re
from typing import Final

from spacy.tokens import Doc, Token

from g2p import punctuation
from g2p.homographs import BE, HAVE, PAST, SUBJECTS, governor, is_plain_verb


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
    **_words("RB", "not n't never always often soon then there here very too also just again still already once now"
             " ever quite so only even hardly rarely seldom usually"),
    **_words("RP", "up down out off away along across around"),
    **_words("VBZ", "is has does 's"), **_words("VBP", "am are have do 're 've 'm"),
    **_words("VBD", "was were had did"), **_words("VB", "be"), **_words("VBN", "been done gone"),
    **_words("NNS", "people men women children police feet teeth"), "to": "TO",
}  # fmt: skip
_NUMBER = re.compile(r"[\d.,]*\d[\d.,]*(?:st|nd|rd|th)?|one|two|three|four|five|six|seven|eight|nine|ten")
# After these a noun follows, or an adjective.
_BEFORE_NOUNS: Final = frozenset({"DT", "PRP$", "JJ", "CD", "POS"})
_LONGEST_ACRONYM: Final = 5  # letters
_IMPERATIVE: Final = frozenset({"please", "first", "then", "now", "next"})
# Words that are adjectives in front of a noun, and behind "is"; as verbs or nouns they sound in another way.
_ADJECTIVES: Final = frozenset(
    "close live content perfect present separate deliberate elaborate moderate appropriate duplicate".split()  # noqa: SIM905
)


def tag(doc: Doc) -> Doc:
    """Sets each token's tag of the Penn Treebank."""
    past = bool(PAST.search(doc.text))
    before = ""
    for token in doc:
        token.tag_ = before = _tag(token, before, past=past)
    return doc


def _tag(token: Token, before: str, *, past: bool) -> str:
    text, low = token.text, token.lower_
    if not any(sign.isalnum() for sign in text):
        return punctuation.tag_of(token)
    if low == "'s" and before in ("NN", "NNP", "NNS"):
        return "POS"
    if low in _CLOSED:
        return "NN" if text == "A" and _is_letter(token) else _in_context(token, _CLOSED[low])
    if _NUMBER.fullmatch(low):
        return "CD"
    return _open_class(token, before, past=past)


def _is_letter(token: Token) -> bool:
    """Tells "Plan A and …" from the article, which has a capital where a sentence begins, and in titles."""
    following = token.nbor().text if token.i + 1 < len(token.doc) else ""
    return token.i > 0 and token.nbor(-1).text[-1] not in '.!?…:"“‘(' and not following[:1].isupper()  # noqa: RUF001


def _open_class(token: Token, before: str, *, past: bool) -> str:
    """A noun, verb, adjective or adverb, by its ending and by what stands in front of it."""
    text, low = token.text, token.lower_
    in_front = governor(token)
    word = in_front.lower_ if in_front is not None else ""
    plural = low.endswith("s") and not low.endswith(("ss", "us", "is"))
    rules = (
        (low.endswith("ly"), "RB"),
        (word == "to" and plural, "NNS"),
        (is_plain_verb(token) or _is_imperative(token), "VB"),
        (word in HAVE and low.endswith("ed"), "VBN"),
        (text[0].isupper() and token.i > 0 and before not in (".", "``", ":") and not _is_shouted(token), "NNP"),
        (low in _ADJECTIVES and _is_adjective(token, before, word), "JJ"),
        (before == "PRP" or word in SUBJECTS, "VBD" if past or low.endswith("ed") else "VBP"),
        (low.endswith("ing"), "VBG"),
        (low.endswith("ed"), "VBD"),
        (plural, "NNS"),
    )
    return next((tag for holds, tag in rules if holds), "NN")


def _is_shouted(token: Token) -> bool:
    """Tells a word in capitals from an acronym, whose letters are said where no dictionary has it."""
    return token.is_upper and (len(token) > _LONGEST_ACRONYM or (len(token.doc) > 2 and token.doc.text.isupper()))  # noqa: PLR2004


def _is_imperative(token: Token) -> bool:
    """Tells "Please use the …" and "Separate the …": the first word of a sentence, with a determiner behind it."""
    first = token.i == 0 or (token.i == 1 and token.nbor(-1).lower_ in _IMPERATIVE)
    following = token.nbor().lower_ if token.i + 1 < len(token.doc) else ""
    return first and _CLOSED.get(following) in ("DT", "PRP", "PRP$")


def _is_adjective(token: Token, before: str, word: str) -> bool:
    following = token.nbor().lower_ if token.i + 1 < len(token.doc) else ""
    in_front = before in _BEFORE_NOUNS and following.isalpha() and following not in _CLOSED
    behind = word in BE or before == "RB"
    return in_front or behind or (following in ("to", "together", "by", "enough") and before not in ("PRP", "DT"))


def _in_context(token: Token, usual: str) -> str:
    """Tells the conjunction "that", in front of a clause, from the determiner."""
    if token.lower_ != "that" or token.i + 1 == len(token.doc):
        return usual
    following = token.nbor().lower_
    plural = following.endswith("s") and not following.endswith("ss") and following not in _CLOSED
    starts = _CLOSED.get(following) in ("PRP", "DT", "PRP$") or (token.i > 0 and plural)
    return "IN" if starts else usual
