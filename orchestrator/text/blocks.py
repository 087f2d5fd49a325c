"""Two ways in: a document becomes blocks, which keep its structure; plain input becomes segments, which have none."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Literal

import msgspec

from orchestrator.text.elements import Element, Role
from orchestrator.text.estimate import estimate_seconds, has_words
from orchestrator.text.joins import join_cost
from orchestrator.text.markdown import parse_markdown
from orchestrator.text.plain_text import find_paragraphs, parse_plain
from orchestrator.text.sentences import sentence_starts
from orchestrator.text.slices import Slice, group_slices
from orchestrator.text.spans import Joined, Span, Spoken, shown_range, slice_spans
from orchestrator.text.spoken import speak

DEFAULT_LANGUAGE = "en"
_JOINER = "\n"  # between the parts of one block, in shown text


class PartDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a block that had a role of its own; offsets are into the block's shown and spoken text."""

    role: Role
    level: int | None
    shown_start: int
    shown_end: int
    spoken_start: int
    spoken_end: int


class BlockDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a document. ``spoken`` is empty where nothing is read aloud (code, a row of asterisks).

    ``spans`` cover ``spoken`` from end to end and lead back to ``shown``: see `Span`. Role and level are those of
    the part with the most text.
    """

    role: Role
    level: int | None
    shown: str
    spoken: str
    spans: list[Span]
    parts: list[PartDraft]
    estimated_seconds: float


class SpeechDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A segment of plain input; ``start``, ``end`` and the shown side of ``spans`` are offsets into that input."""

    start: int
    end: int
    spoken: str
    spans: list[Span]
    estimated_seconds: float


def cut_document(
    text: str,
    format: Literal["markdown", "text"] = "markdown",  # noqa: A002 -- the name it has in the API
    *,
    language: str = DEFAULT_LANGUAGE,
) -> list[BlockDraft]:
    """Return the blocks in reading order; none for a text without any visible character.

    ``language`` is BCP-47, and decides how sentences are found.
    """
    parts = parse_markdown(text) if format == "markdown" else parse_plain(text)
    blocks: list[BlockDraft] = []
    # What is not read aloud is a block of its own, and nothing is joined across it: the order is kept.
    for voiced, group in groupby(parts, key=attrgetter("voiced")):
        run = list(group)
        blocks.extend(_cut_run(run, language) if voiced else map(_silent_block, run))
    return blocks


def cut_speech(text: str, *, language: str = DEFAULT_LANGUAGE, first_seconds: float | None = None) -> list[SpeechDraft]:
    """Return the segments that say ``text``; none if it holds no letter and no digit.

    With ``first_seconds`` the first segment ends near that length, where a sentence or a clause does, so that the
    first sound comes early.
    """
    whole, starts = _read_plain(text, language)
    margin, last = len(text) - len(text.lstrip()), len(text.rstrip())
    segments = []
    for group in group_slices([whole.text], [starts], join_cost=_no_joins, first_seconds=first_seconds):
        ((_, start, end),) = group
        spoken = whole.text[start:end]
        if has_words(spoken):  # a cut through endless punctuation leaves some without
            shown_start, shown_end = shown_range(whole, start, end, text)
            segments.append(
                SpeechDraft(
                    start=max(shown_start, margin),
                    end=min(shown_end, last),
                    spoken=spoken,
                    spans=slice_spans(whole.spans, start, end, -start),
                    estimated_seconds=_seconds(spoken),
                )
            )
    return segments


def _read_plain(text: str, language: str) -> tuple[Spoken, list[int]]:
    """Return what is said for the whole input, and where its sentences begin."""
    paragraphs = [(start, end) for start, end in find_paragraphs(text) if has_words(text[start:end])]
    # Nothing is added to the end of the input: a single word is said as it stands.
    spoken = [speak(text[start:end], stop=(start, end) != paragraphs[-1]) for start, end in paragraphs]
    joined = Joined()
    starts: list[int] = []
    sentences = sentence_starts([each.text for each in spoken], language)
    for (start, end), each, within in zip(paragraphs, spoken, sentences, strict=True):
        begin = joined.add(each, 0, len(each.text), (start, end), start)
        starts.extend(begin + offset for offset in [0, *within])
    return joined.result(), starts[1:]


def _no_joins(_before: int, _after: int) -> float:
    return 0.0


def _cut_run(parts: list[Element], language: str) -> Iterator[BlockDraft]:
    spoken = [speak(part.shown, cells=part.role == "table_row") for part in parts]
    texts = [each.text for each in spoken]
    groups = group_slices(texts, sentence_starts(texts, language), join_cost=lambda a, b: join_cost(parts[a], parts[b]))
    for group in groups:
        yield _block(parts, spoken, group)


def _block(parts: Sequence[Element], spoken: Sequence[Spoken], group: list[Slice]) -> BlockDraft:
    joined = Joined()
    shown: list[str] = []
    drafts: list[PartDraft] = []
    for index, start, end in group:
        part = parts[index]
        first, last = shown_range(spoken[index], start, end, part.shown)
        shown_start = drafts[-1].shown_end + len(_JOINER) if drafts else 0
        shown_end = shown_start + last - first
        spoken_start = joined.add(spoken[index], start, end, (shown_start, shown_end), shown_start - first)
        shown.append(part.shown[first:last])
        drafts.append(
            PartDraft(
                role=part.role,
                level=part.level,
                shown_start=shown_start,
                shown_end=shown_end,
                spoken_start=spoken_start,
                spoken_end=spoken_start + end - start,
            )
        )
    main = max(drafts, key=lambda draft: draft.spoken_end - draft.spoken_start)
    text, spans = joined.result()
    if not has_words(text):  # a cut through endless punctuation leaves some without
        return _silent_block(Element(main.role, _JOINER.join(shown), main.level))
    return BlockDraft(
        role=main.role,
        level=main.level,
        shown=_JOINER.join(shown),
        spoken=text,
        spans=spans,
        parts=drafts,
        estimated_seconds=_seconds(text),
    )


def _silent_block(part: Element) -> BlockDraft:
    whole = PartDraft(
        role=part.role, level=part.level, shown_start=0, shown_end=len(part.shown), spoken_start=0, spoken_end=0
    )
    return BlockDraft(
        role=part.role,
        level=part.level,
        shown=part.shown,
        spoken="",
        spans=[],
        parts=[whole],
        estimated_seconds=0.0,
    )


def _seconds(spoken: str) -> float:
    return round(estimate_seconds(spoken), 2)
