"""Finds where sentences begin: spaCy's sentencizer, its known mistakes corrected, or a rule without it."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Final

from orchestrator.text.characters import CLOSING_BRACKETS, CLOSING_QUOTES, QUOTES, SENTENCE_STOPS, WIDE_STOPS

if TYPE_CHECKING:
    from spacy.language import Language

# A token this long is not a word. spaCy's tokenizer takes time that grows with the square of a token's length.
_ENDLESS_WORD = re.compile(r"\S{200}")
_OPENING = QUOTES + "(["
_SHORT = 40  # characters: two seconds or so, not worth the pipeline
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_CACHED_LANGUAGES = 8
_NEAR = 40  # characters on either side of a boundary that decide whether it is one

# The look-behinds keep these linear: without them a run of stops would be read again from each of its characters.
_RULE = re.compile(rf"(?<![{SENTENCE_STOPS}])[{SENTENCE_STOPS}]+[{QUOTES})\]]*(?P<next> )")
_CLOSERS = re.escape(CLOSING_QUOTES + CLOSING_BRACKETS)
_WIDE_STOP = re.compile(rf"(?<![{WIDE_STOPS}])[{WIDE_STOPS}]+[{_CLOSERS}]* ?(?P<next>)(?=.)")
_SINGLE_LETTER = re.compile(rf"(?<= )(?P<letter>[^\W\d_])\.[{CLOSING_QUOTES})]*(?P<next> )(?=(?P<word>\w+))")
_LIST_NUMBERS = re.compile(r"(?:\d+[.)] ?)+")

# English words whose full stop ends no sentence, beyond those the sentencizer knows; lower case, without the stop.
_ALWAYS_ABBREVIATIONS: Final = frozenset(
    "approx capt cf col dr e.g eds esp fig figs gen gov hon i.e lt messrs mme mr mrs ms mt prof rep rev sen sgt "  # noqa: SIM905
    "st viz vs".split()
)
# The same, but only before a number: "No. 5"; without one they end a sentence: "No."
_ABBREVIATIONS_BEFORE_NUMBERS: Final = frozenset(
    "apr art aug bk c ca ch chap dec ed eq eqs feb jan jul jun mar no nos nov oct op p par pp pt sec sect sep sept "  # noqa: SIM905
    "tab v ver vol vols".split()
)
# Words that tell the end of a sentence ("Plan B. Then ...") from an initial ("J. Smith").
_SENTENCE_OPENERS: Final = frozenset(
    "A After All An And As At Because But By Each For From He Her His How However I If In It Its My No Not Now On "  # noqa: SIM905
    "One Or Our She So Some That The Their Then There These They This Those Though To Today We What When Where "
    "Which While Who Why With Yes You Your".split()
)

_loading = Lock()  # whoever comes while a pipeline is loaded waits for it, and does not load it again
_lock = Lock()  # a memory zone belongs to the pipeline, so only one thread may be inside


def sentence_starts(texts: Sequence[str], language: str) -> Iterator[list[int]]:
    """Yields, for each text, the sorted offsets at which its second and later sentences begin.

    The texts are spoken text: no two spaces in a row and none at the ends. ``language`` is BCP-47.
    """
    pipeline = load_pipeline(language)
    by_rule = [pipeline is None or len(text) < _SHORT or bool(_ENDLESS_WORD.search(text)) for text in texts]
    tokenized = iter(_run(pipeline, [text for text, rule in zip(texts, by_rule, strict=True) if not rule]))
    for text, rule in zip(texts, by_rule, strict=True):
        starts = _starts_by_rule(text) if rule else next(tokenized)
        yield _correct(text, starts)


def load_pipeline(language: str) -> "Language | None":
    """Returns the sentence pipeline of a language, None where spaCy has none or lacks its dictionary.

    The first call takes a second or two, most of it spaCy's import: make it while a process that
    answers requests starts. Any number of threads may call it.
    """
    primary = language.replace("_", "-").split("-")[0].lower()
    if not _LANGUAGE.fullmatch(primary):
        return None
    with _loading:
        return _load(primary)


@lru_cache(maxsize=_CACHED_LANGUAGES)
def _load(primary: str) -> "Language | None":
    import spacy  # noqa: PLC0415 - half of the start time of a process

    try:
        pipeline = spacy.blank(primary)
    except ImportError:  # an unknown language, or one whose tokenizer needs a dictionary that is not installed
        return None
    pipeline.add_pipe("sentencizer")
    return pipeline


def _run(pipeline: "Language | None", texts: list[str]) -> list[list[int]]:
    if pipeline is None or not texts:
        return []
    pipeline.max_length = max(pipeline.max_length, *map(len, texts))
    # The zone frees the strings of these texts, which spaCy would otherwise keep for the life of the process.
    with _lock, pipeline.memory_zone():
        return [[sentence.start_char for sentence in document.sents][1:] for document in pipeline.pipe(texts)]


def _starts_by_rule(text: str) -> list[int]:
    return [match.end("next") for match in _RULE.finditer(text)]


def _correct(text: str, starts: list[int]) -> list[int]:
    cased = text != text.lower()
    corrected = {match.end("next") for match in _WIDE_STOP.finditer(text)}
    corrected.update(
        match.end("next")
        for match in _SINGLE_LETTER.finditer(text)
        if match["letter"] == "I" or match["word"] in _SENTENCE_OPENERS
    )
    for found in starts:
        start = _before_opening(text, found)
        if start < len(text) and not _is_false(text, start, cased=cased):
            corrected.add(start)
    return sorted(corrected)


def _before_opening(text: str, start: int) -> int:
    """Undoes the sentencizer's habit of leaving the quote or bracket that opens a sentence with the one before."""
    while start < len(text) and text[start] == " ":
        start += 1
    opening = start
    while opening > 0 and text[opening - 1] in _OPENING:
        opening -= 1
    return opening if opening < start and opening > 0 and text[opening - 1] == " " else start


def _is_false(text: str, start: int, *, cased: bool) -> bool:
    if text[start - 1] != " ":
        return True  # inside a word, or before a closing quote; scripts without spaces have their own rule
    before = text[max(0, start - _NEAR) : start - 1]
    if len(before) == start - 1 and _LIST_NUMBERS.fullmatch(before):
        return True
    following = text[start : start + _NEAR].lstrip(_OPENING)[:1]
    if cased and following.islower():
        return True  # "Why?" she asked; approx. five; Wait ... what
    word = before.rpartition(" ")[2].lstrip(_OPENING).lower()
    if not word.endswith("."):
        return False
    return word[:-1] in _ALWAYS_ABBREVIATIONS or (word[:-1] in _ABBREVIATIONS_BEFORE_NUMBERS and following.isdigit())
