"""Words with two pronunciations, where the words around them tell more surely than a tagger which one it is.

misaki chooses by the tag of the word. All of this applies to the tags of spaCy's model and to those of our rules.
"""

import re
from collections.abc import Iterator
from typing import Final

from spacy.tokens import Doc, Span, Token

MODALS: Final = frozenset("can could will would shall should may might must cannot wo ca 'll ’ll 'd ’d".split())  # noqa: RUF001, SIM905
DO: Final = frozenset({"do", "does", "did"})
HAVE: Final = frozenset("have has had having 've ’ve".split())  # noqa: RUF001, SIM905
BE: Final = frozenset("be am is are was were been being 'm ’m 're ’re".split())  # noqa: RUF001, SIM905
ADVERBS: Final = frozenset(
    "not n't n’t always often ever never already just soon only also still even hardly rarely seldom usually".split()  # noqa: RUF001, SIM905
)
SUBJECTS: Final = frozenset({"i", "you", "he", "she", "it", "we", "they", "who"})

_WOUND_WHERE: Final = frozenset("up around round down through back along its his her the it".split())  # noqa: SIM905
_VERBS_FOLLOW: Final = frozenset({"who", "i", "he", "she", "we", "they"})  # "it" and "you" may be objects
_GET: Final = frozenset("get gets got getting become becomes became".split())  # noqa: SIM905
_LET: Final = frozenset("let lets make makes made help helped hear heard see saw watch watched".split())  # noqa: SIM905
_FINITE: Final = frozenset({"VBZ", "VBP", "VBD", "MD"})
_BEHIND_VERB: Final = frozenset({"IN", "TO", "RB", "RP", "DT", "PRP", "PRP$"})
_CLAUSE_STARTS: Final = frozenset({",", ":", "``", "''", "-LRB-", "-RRB-", "WRB", "WP", "WDT", "CC"})
_HABIT: Final = re.compile(
    r"\b(?:always|usually|often|never|sometimes|rarely|seldom|daily|nowadays|normally|whenever|if"
    r"|(?:every|each) (?:day|morning|afternoon|evening|night|week|month|year|time|summer|winter|\w+day))\b",
    re.IGNORECASE,
)
PAST: Final = re.compile(
    r"\b(?:yesterday|ago|last (?:night|week|month|year|spring|summer|autumn|winter|time|\w+day)|had|was|were|did"
    r"|earlier|(?<!at )once)\b",
    re.IGNORECASE,
)
_AFTER_ADJECTIVE: Final = {
    "learned": frozenset("friend friends colleague colleagues society man men judge judges counsel professor".split()),  # noqa: SIM905
    "minute": frozenset(
        "amount amounts trace traces detail details particles fragments quantities differences grains .".split()  # noqa: SIM905
    ),
}
_BEHIND_LETTER: Final = frozenset("is was has will and or to at in for from dot underscore".split())  # noqa: SIM905
_GERUND: Final = re.compile(r"\w*[aeiouy]\w*ing")  # and not "bring"

_METALS: Final = "gold|silver|copper|iron|tin|zinc|steel|mercury|arsenic|cadmium|nickel"
_SOUNDS_LIKE: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), other)
    for pattern, other in (
        (r"\b(lead)[ -](?:pip[ei]|paint|poison|weight|shot\b|glass|acid|crystal|min[ei]|roof|free|bullet)", "led"),
        (r"\b(?:of|with|from|contains?|than|molten|liquid) (lead)(?=[.,;!?]| (?:and|or|in|on|is|was|can)\b)", "led"),
        (rf"\b(?:{_METALS})(?:,| and| or) (lead)\b", "led"),
        (rf"\b(lead),? (?:and |or )?(?:{_METALS})\b", "led"),
        (r"\b(lead) in (?:\w+ )?(?:water|paint|blood|petrol|gasoline|soil|air)\b", "led"),
        (r"\bwear and (tear)\b|\b(?:a|the|small|big|large|long) (tear) in (?!(?:\w+ )?eyes?\b)", "tare"),
    )
)  # fmt: skip
"""What no tag tells: the word, and another one that sounds as it does there."""


def sounds_like(text: str) -> dict[int, str]:
    """Returns words that sound like those at these places of the text."""
    found = (match for pattern, other in _SOUNDS_LIKE for match in ((one, other) for one in pattern.finditer(text)))
    return {match.start(match.lastindex or 0): other for match, other in found}


def correct(doc: Doc) -> Doc:
    """Sets the tags that the words around tell."""
    for token in doc:
        token.tag_ = _tag(token) or token.tag_
    for clause in _clauses(doc):
        _find_verb(clause)
    return doc


def governor(token: Token) -> Token | None:
    """Returns the word in front that tells the form of a verb: "have" in "have you ever read", "they" in "they use"."""
    word = _before_adverbs(token)
    if word is None or word.lower_ not in SUBJECTS:
        return word
    asking = _before_adverbs(word)
    return asking if asking is not None and asking.lower_ in MODALS | DO | HAVE | BE else word


def _before_adverbs(token: Token) -> Token | None:
    at = token.i - 1
    while at >= 0 and (token.doc[at].lower_ in ADVERBS or token.doc[at].lower_.endswith("ly")):
        at -= 1
    return token.doc[at] if at >= 0 else None


def is_plain_verb(token: Token) -> bool:
    """Tells whether only a verb in its plain form can stand here: "could not …", "did you …", "let me …"."""
    word, before = _governor(token), token.nbor(-2).lower_ if token.i > 1 else ""
    return word in MODALS | DO or word == "to" or (before in _LET and word in ("me", "him", "her", "it", "us", "them"))


def _governor(token: Token) -> str:
    word = governor(token)
    return "" if word is None else word.lower_


def _tag(token: Token) -> str | None:
    low = token.lower_
    following = token.nbor().lower_ if token.i + 1 < len(token.doc) else ""
    if low in ("read", "reread"):
        return "VB" if is_plain_verb(token) else _read(token)
    if low == "wound":
        return "VB" if is_plain_verb(token) else _wound(token, following)
    if low == "used" and following == "to":
        return _used(token)
    is_acronym = token.text in ("US", "IT") and not token.doc.text.isupper()
    is_adjective = following in _AFTER_ADJECTIVE.get(low, ()) and (following != "." or _governor(token) in BE)
    is_verb = token.is_alpha and token.tag_ in ("NN", "JJ") and _governor(token) in _VERBS_FOLLOW
    rules = (
        (token.text == "A" and following in _BEHIND_LETTER, "NN"),
        (is_acronym, "NNP"),
        (is_adjective, "JJ"),
        (is_verb, "VB"),
    )
    return next((tag for holds, tag in rules if holds), None)


def _used(token: Token) -> str | None:
    """Tells "used to go" and "is used to noise" from "is used to cut"."""
    if _governor(token) not in BE | _GET:
        return "VBD"
    after = token.nbor(2) if token.i + 2 < len(token.doc) else None
    plain = after is not None and after.tag_ in ("VB", "RB") and not _GERUND.fullmatch(after.lower_)
    return "VBN" if plain and token.nbor().tag_ == "TO" else "JJ"


def _read(token: Token) -> str | None:
    """Tells the tenses. The model takes both for the present, and misaki then both for the past."""
    word, text = _governor(token), token.doc.text
    if word in HAVE | BE:
        return "VBN"
    if word in (",", "and", "then"):
        verbs = [one.tag_ for one in token.doc[: token.i] if one.tag_ in ("VB", "VBP", "VBD", "VBZ")]
        return "VBD" if verbs and verbs[-1] == "VBD" else None
    if _has_one_subject(token):
        return "VBD"  # the present is "reads"
    if token.tag_ not in ("VB", "VBP", "VBD") or word in ("he", "she", "it") or PAST.search(text):
        return None
    return "VB" if _HABIT.search(text) or (token.tag_ == "VBP" and word not in SUBJECTS) else None


def _has_one_subject(token: Token) -> bool:
    """Tells "my sister read the letter"."""
    if token.i < 2 or token.nbor(-1).tag_ != "NN" or token.i + 1 == len(token.doc):  # noqa: PLR2004 - "my", "sister"
        return False
    return token.nbor(-2).tag_ in ("DT", "PRP$") and token.nbor().tag_ in ("DT", "PRP", "PRP$")


def _wound(token: Token, following: str) -> str | None:
    if _governor(token) in HAVE | BE:
        return "VBN"
    before = token.nbor(-1).tag_ if token.i else ""
    return "VBD" if following in _WOUND_WHERE and before in ("NN", "NNS", "NNP", "PRP") else None


def _clauses(doc: Doc) -> Iterator[Span]:
    start = 0
    for token in doc:
        if token.tag_ in _CLAUSE_STARTS or token.lower_ in ("that", "because", "if", "while", "though"):
            yield doc[start : token.i]
            start = token.i + 1
    yield doc[start : len(doc)]


def _find_verb(clause: Span) -> None:
    """Finds the verb where none is tagged: "the shops close", "the road winds up", "does the farm produce it"."""
    if clause.doc.text[-1] not in ".!?" or any(token.tag_ == "VB" for token in clause):
        return
    asks = len(clause) > 0 and clause[0].lower_ in DO | MODALS
    if not asks and any(token.tag_ in _FINITE for token in clause):
        return
    for token in clause[1:]:
        before, following = _before_adverbs(token), token.nbor().tag_ if token.i + 1 < len(token.doc) else ""
        if not token.is_lower or token.tag_ not in ("NN", "NNS", "JJ") or before is None:
            continue
        if token.tag_ != "NNS" and (before.tag_ == "NNS" or (asks and before.tag_ in ("NN", "NNP"))):
            token.tag_ = "VB"
            return
        if token.tag_ == "NNS" and before.tag_ in ("NN", "NNP") and following in _BEHIND_VERB:
            token.tag_ = "VBZ"
            return
