"""Cuts text: a document into blocks, which keep its structure, plain input into segments, which have none."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Literal

import msgspec

from orchestrator.text.elements import Element, Role, find_paragraphs, parse_plain
from orchestrator.text.estimate import estimate_seconds, has_words
from orchestrator.text.markdown import parse_markdown
from orchestrator.text.phrase_packing import Slice, combination_cost, group_slices
from orchestrator.text.sentences import sentence_starts
from orchestrator.text.spans import Span, Spoken, SpokenBuilder, shown_range, slice_spans
from orchestrator.text.spoken_text import to_spoken

DEFAULT_LANGUAGE = "en"
_SEPARATOR = "\n"  # between the elements of one block, in shown text


class PartDraft(msgspec.Struct, frozen=True, kw_only=True):
    """The stretch of a block that comes from one element; offsets are into the block's shown and spoken text."""

    role: Role
    level: int | None
    shown_start: int
    shown_end: int
    spoken_start: int
    spoken_end: int


class BlockDraft(msgspec.Struct, frozen=True, kw_only=True):
    """One block of a document. ``spoken`` is empty where nothing is read aloud (code, a row of asterisks).

    ``spans`` cover ``spoken`` from end to end and lead back to ``shown``: see `Span`. Role and level are those of
    the part with the most spoken text.
    """

    role: Role
    level: int | None
    shown: str
    spoken: str
    spans: list[Span]
    parts: list[PartDraft]
    estimated_seconds: float


class SegmentDraft(msgspec.Struct, frozen=True, kw_only=True):
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
    """Returns the blocks in reading order; none for a text without any visible character.

    ``language`` is BCP-47, and decides how sentences are found.
    """
    elements = parse_markdown(text) if format == "markdown" else parse_plain(text)
    blocks: list[BlockDraft] = []
    # An element that is not read aloud is a block of its own, and no block spans it: the order stays.
    for is_spoken, group in groupby(elements, key=attrgetter("is_spoken")):
        run = list(group)
        blocks.extend(_spoken_blocks(run, language) if is_spoken else map(_unspoken_block, run))
    return blocks


def cut_speech(
    text: str, *, language: str = DEFAULT_LANGUAGE, first_seconds: float | None = None
) -> list[SegmentDraft]:
    """Returns the segments that say ``text``; none if it holds no letter and no digit.

    With ``first_seconds`` the first segment ends near that length, where a sentence or a clause does, so that the
    first sound comes early.
    """
    whole, starts = _read_plain(text, language)
    margin, last = len(text) - len(text.lstrip()), len(text.rstrip())
    segments = []
    for group in group_slices([whole.text], [starts], cost_between=_free, first_seconds=first_seconds):
        ((_, start, end),) = group
        spoken = whole.text[start:end]
        if has_words(spoken):  # a cut through endless punctuation leaves some without
            shown_start, shown_end = shown_range(whole, start, end, text)
            segments.append(
                SegmentDraft(
                    start=max(shown_start, margin),
                    end=min(shown_end, last),
                    spoken=spoken,
                    spans=slice_spans(whole.spans, start, end, -start),
                    estimated_seconds=_seconds(spoken),
                )
            )
    return segments


def _read_plain(text: str, language: str) -> tuple[Spoken, list[int]]:
    """Returns what is said for the whole input, and where its sentences begin."""
    paragraphs = [(start, end) for start, end in find_paragraphs(text) if has_words(text[start:end])]
    # Nothing is added to the end of the input: a single word is said as it stands.
    spoken = [to_spoken(text[start:end], stop=(start, end) != paragraphs[-1]) for start, end in paragraphs]
    builder = SpokenBuilder()
    starts: list[int] = []
    sentences = sentence_starts([each.text for each in spoken], language)
    for (start, end), each, within in zip(paragraphs, spoken, sentences, strict=True):
        begin = builder.add(each, 0, len(each.text), (start, end), start)
        starts.extend(begin + offset for offset in [0, *within])
    return builder.build(), starts[1:]


def _free(_before: int, _after: int) -> float:
    return 0.0


def _spoken_blocks(elements: list[Element], language: str) -> Iterator[BlockDraft]:
    spoken = [to_spoken(element.shown, cells=element.role == "table_row") for element in elements]
    texts = [each.text for each in spoken]
    groups = group_slices(
        texts,
        sentence_starts(texts, language),
        cost_between=lambda a, b: combination_cost(elements[a], elements[b]),
    )
    for group in groups:
        yield _block(elements, spoken, group)


def _block(elements: Sequence[Element], spoken: Sequence[Spoken], group: list[Slice]) -> BlockDraft:
    builder = SpokenBuilder()
    shown: list[str] = []
    parts: list[PartDraft] = []
    for index, start, end in group:
        element = elements[index]
        first, last = shown_range(spoken[index], start, end, element.shown)
        shown_start = parts[-1].shown_end + len(_SEPARATOR) if parts else 0
        shown_end = shown_start + last - first
        spoken_start = builder.add(spoken[index], start, end, (shown_start, shown_end), shown_start - first)
        shown.append(element.shown[first:last])
        parts.append(
            PartDraft(
                role=element.role,
                level=element.level,
                shown_start=shown_start,
                shown_end=shown_end,
                spoken_start=spoken_start,
                spoken_end=spoken_start + end - start,
            )
        )
    main = max(parts, key=lambda part: part.spoken_end - part.spoken_start)
    text, spans = builder.build()
    if not has_words(text):  # a cut through endless punctuation leaves some without
        return _unspoken_block(Element(main.role, _SEPARATOR.join(shown), main.level))
    return BlockDraft(
        role=main.role,
        level=main.level,
        shown=_SEPARATOR.join(shown),
        spoken=text,
        spans=spans,
        parts=parts,
        estimated_seconds=_seconds(text),
    )


def _unspoken_block(element: Element) -> BlockDraft:
    whole = PartDraft(
        role=element.role,
        level=element.level,
        shown_start=0,
        shown_end=len(element.shown),
        spoken_start=0,
        spoken_end=0,
    )
    return BlockDraft(
        role=element.role,
        level=element.level,
        shown=element.shown,
        spoken="",
        spans=[],
        parts=[whole],
        estimated_seconds=0.0,
    )


def _seconds(spoken: str) -> float:
    return round(estimate_seconds(spoken), 2)
