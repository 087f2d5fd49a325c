"""Cuts text: a document into blocks, which keep its structure, plain input into segments, which have none."""

from collections.abc import Container, Iterator, Sequence
from itertools import groupby, zip_longest
from operator import attrgetter
from typing import Final, Literal

import msgspec

from lectern_contract import Break
from orchestrator.text.characters import CLAUSE_STOPS, CLOSING_BRACKETS, CLOSING_QUOTES, WIDE_CLAUSE_STOPS
from orchestrator.text.elements import Element, Role, find_paragraphs, parse_plain
from orchestrator.text.estimate import estimate_seconds, has_words
from orchestrator.text.markdown import parse_markdown
from orchestrator.text.phrase_packing import Slice, combination_cost, group_slices
from orchestrator.text.sentences import sentence_starts
from orchestrator.text.spans import Span, Spoken, SpokenBuilder, next_word, shown_range, slice_spans
from orchestrator.text.spoken_text import to_spoken

DEFAULT_LANGUAGE = "en"
_SEPARATOR = "\n"  # between the elements of one block, in shown text
_SIGNS = 8  # that may end a clause: a comma and what closes behind it
_BREAKS: Final[dict[Role, Break]] = {"heading": "heading", "list_item": "list_item", "table_row": "list_item"}
_LINE_ENDS: Final[dict[Break, str]] = {"list_item": "\n", "paragraph": "\n\n", "heading": "\n\n\n"}
"""What stands between two elements of one block, in spoken text: the more line ends, the longer the pause."""


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
    ends: Break | None = "paragraph"
    """What ends with it; None where it is cut between two words."""


class SegmentDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A segment of plain input; ``start``, ``end`` and the shown side of ``spans`` are offsets into that input."""

    start: int
    end: int
    spoken: str
    spans: list[Span]
    estimated_seconds: float
    ends: Break | None
    """What ends with it; None where it is cut between two words."""


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
    return _before_headings(blocks)


def cut_speech(
    text: str, *, language: str = DEFAULT_LANGUAGE, first_seconds: float | None = None
) -> list[SegmentDraft]:
    """Returns the segments that say ``text``; none if it holds no letter and no digit.

    With ``first_seconds`` the first segment ends near that length, where a sentence or a clause does, so that the
    first sound comes early.
    """
    whole, starts = _read_plain(text, language)
    sentences = frozenset(starts)
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
                    ends=_end(whole.text, end, sentences),
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


def _end(spoken: str, end: int, starts: Container[int]) -> Break | None:
    """Returns what ends at ``end`` of a text."""
    following = next_word(spoken, end)
    if "\n" in spoken[end:following]:
        return "paragraph"
    last_signs = spoken[max(0, end - _SIGNS) : end].rstrip(CLOSING_QUOTES + CLOSING_BRACKETS)
    if last_signs.endswith(tuple(CLAUSE_STOPS + WIDE_CLAUSE_STOPS)):
        return "clause"
    return "sentence" if following == len(spoken) or following in starts else None


def _free(_before: int, _after: int) -> float:
    return 0.0


def _spoken_blocks(elements: list[Element], language: str) -> Iterator[BlockDraft]:
    spoken = [to_spoken(element.shown, cells=element.role == "table_row") for element in elements]
    texts = [each.text for each in spoken]
    starts = list(sentence_starts(texts, language))
    groups = group_slices(texts, starts, cost_between=lambda a, b: combination_cost(elements[a], elements[b]))
    for group in groups:
        index, _, end = group[-1]
        text = texts[index]
        ends = _break_behind(elements[index]) if end == len(text) else _end(text, end, starts[index])
        yield _block(elements, spoken, group, ends)


def _break_behind(element: Element) -> Break:
    return _BREAKS.get(element.role, "paragraph")


def _before_headings(blocks: list[BlockDraft]) -> list[BlockDraft]:
    """Returns the blocks, of which those in front of a heading have its pause."""
    return [
        msgspec.structs.replace(block, ends="heading") if following and following.parts[0].role == "heading" else block
        for block, following in zip_longest(blocks, blocks[1:])
    ]


def _block(elements: Sequence[Element], spoken: Sequence[Spoken], group: list[Slice], ends: Break | None) -> BlockDraft:
    builder = SpokenBuilder()
    shown: list[str] = []
    parts: list[PartDraft] = []
    before: Break = "paragraph"
    for index, start, end in group:
        element = elements[index]
        first, last = shown_range(spoken[index], start, end, element.shown)
        shown_start = parts[-1].shown_end + len(_SEPARATOR) if parts else 0
        shown_end = shown_start + last - first
        line_ends = _LINE_ENDS["heading" if element.role == "heading" else before]
        spoken_start = builder.add(spoken[index], start, end, (shown_start, shown_end), shown_start - first, line_ends)
        before = _break_behind(element)
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
        ends=ends,
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
