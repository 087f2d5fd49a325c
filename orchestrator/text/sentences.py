"""Where sentences begin: spaCy's sentencizer, with its known mistakes mended, and a rule where it has no language."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from orchestrator.text.abbreviations import BEFORE_NUMBER, CLOSED, SENTENCE_OPENERS
from orchestrator.text.punctuation import CLOSING_BRACKETS, CLOSING_QUOTES, QUOTES, SENTENCE_STOPS, WIDE_STOPS

if TYPE_CHECKING:
    from spacy.language import Language

# A token this long is no word. spaCy's tokenizer takes time that grows with the square of a token's length.
_ENDLESS_WORD = re.compile(r"\S{200}")
_OPENING = QUOTES + "(["
_SHORT = 40  # characters: two seconds or so, not worth the pipeline
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_LANGUAGES_KEPT = 8
_NEAR = 40  # characters on either side of a boundary that can tell whether it is one

# The look-behinds keep these linear: without them a run of stops would be read again from each of its characters.
_RULE = re.compile(rf"(?<![{SENTENCE_STOPS}])[{SENTENCE_STOPS}]+[{QUOTES})\]]*(?P<next> )")
_CLOSERS = re.escape(CLOSING_QUOTES + CLOSING_BRACKETS)
_WIDE_STOP = re.compile(rf"(?<![{WIDE_STOPS}])[{WIDE_STOPS}]+[{_CLOSERS}]* ?(?P<next>)(?=.)")
_SINGLE_LETTER = re.compile(rf"(?<= )(?P<letter>[^\W\d_])\.[{CLOSING_QUOTES})]*(?P<next> )(?=(?P<word>\w+))")
_LIST_NUMBERS = re.compile(r"(?:\d+[.)] ?)+")

_loading = Lock()  # who comes while a pipeline is loaded waits for it, and does not load it again
_lock = Lock()  # a memory zone belongs to the pipeline, so only one thread may be inside


def sentence_starts(texts: Sequence[str], language: str) -> Iterator[list[int]]:
    """Yield, for each text, the sorted offsets at which its second and later sentences begin.

    The texts are spoken text: no two spaces in a row and none at the ends. ``language`` is BCP-47.
    """
    pipeline = load_pipeline(language)
    by_rule = [pipeline is None or len(text) < _SHORT or bool(_ENDLESS_WORD.search(text)) for text in texts]
    tokenized = iter(_run(pipeline, [text for text, rule in zip(texts, by_rule, strict=True) if not rule]))
    for text, rule in zip(texts, by_rule, strict=True):
        starts = _starts_by_rule(text) if rule else next(tokenized)
        yield _mend(text, starts)


def load_pipeline(language: str) -> "Language | None":
    """Return the sentence pipeline of a language, None where spaCy has none or lacks its dictionary.

    The first call takes a second or two, most of it spaCy's import: make it beside the start of a process that
    answers requests. Any number of threads may call it.
    """
    primary = language.replace("_", "-").split("-")[0].lower()
    if not _LANGUAGE.fullmatch(primary):
        return None
    with _loading:
        return _load(primary)


@lru_cache(maxsize=_LANGUAGES_KEPT)
def _load(primary: str) -> "Language | None":
    import spacy  # noqa: PLC0415 - half of what a process would need to start

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
    # The zone frees the strings of these texts, which spaCy would otherwise keep as long as the process lives.
    with _lock, pipeline.memory_zone():
        return [[sentence.start_char for sentence in document.sents][1:] for document in pipeline.pipe(texts)]


def _starts_by_rule(text: str) -> list[int]:
    return [match.end("next") for match in _RULE.finditer(text)]


def _mend(text: str, starts: list[int]) -> list[int]:
    cased = text != text.lower()
    mended = {match.end("next") for match in _WIDE_STOP.finditer(text)}
    mended.update(
        match.end("next")
        for match in _SINGLE_LETTER.finditer(text)
        if match["letter"] == "I" or match["word"] in SENTENCE_OPENERS
    )
    for found in starts:
        start = _before_opening(text, found)
        if start < len(text) and not _is_false(text, start, cased=cased):
            mended.add(start)
    return sorted(mended)


def _before_opening(text: str, start: int) -> int:
    """Undo the sentencizer's habit of leaving the quote or bracket that opens a sentence with the one before."""
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
    return word[:-1] in CLOSED or (word[:-1] in BEFORE_NUMBER and following.isdigit())
