"""From text to sentences of phonemes: markup, lexicon, normalization, the language's phonemizer, Kokoro's limits."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

from g2p import BadRequest, markup
from g2p.aligned_text import AlignedText, Pronunciation
from g2p.languages import Language, language_of, phonemizer_for, spelling_phonemizer
from g2p.normalization import normalize
from g2p.phonemizer import Token
from g2p.sentence_boundaries import Boundary, sentence_boundaries
from g2p.vocabulary import IDS, MAX_PHONEMES, drop_unknown, to_vocabulary, unknown_symbols
from lectern_contract import Break

FIRST_SENTENCE: Final = 120  # phonemes: a longer first sentence is cut at a clause, so that the first audio comes soon
SHORTEST_CLAUSE: Final = 20  # phonemes

_MARKUP = re.compile(f"{markup.PLACEHOLDER}+")
_BLANKS = re.compile(r"\s+")
_CLAUSE_ENDS: Final = ",;:—…"
_COMMON_CHARACTERS: Final = str.maketrans({
    **dict.fromkeys("\u02bc\uff07\u055a\ua78c\u00b4\u02bb\u02bd", "’"), **dict.fromkeys("\u201b", "‘"),  # noqa: RUF001
    **dict.fromkeys("\u02b9\u02ca\u2035", "′"), **dict.fromkeys("\u02ba\u2036", "″"),  # noqa: RUF001
    **dict.fromkeys("\uff02\u02ee\u201f", '"'),
})  # fmt: skip
"""Unicode letters that are apostrophes or primes: phonemizers would say their names."""


@dataclass(frozen=True, slots=True)
class Sentence:
    phonemes: str
    ids: list[int]
    words: list[tuple[int, int, int, int]]
    """First and last phoneme, first and last character of the text; the last ones are exclusive."""
    breaks: list[tuple[int, Break]]
    """The pauses inside it: in front of which phoneme, and what ends there."""
    end: Break | None
    """What ends with it; None if nothing follows, or if it is cut between two words."""
    pause: float | None
    """Seconds of silence that the text asks for after it; None if it asks for none."""
    next: int | None
    """Where in the text the next sentence begins; None after the last one."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def next_sentence(
    text: str,
    start: int,
    tag: str,
    lexicon: Mapping[str, str],
    switches: Mapping[str, bool],
    *,
    has_markup: bool = False,
) -> Sentence:
    """Returns the sentence at character `start`, which is 0 or `next` of the sentence before. Raises BadRequest."""
    language = language_of(tag)
    marked = markup.parse(text) if has_markup else markup.MarkedText(text, (), ())
    _check_pronunciations(marked, lexicon)
    if not 0 <= start < len(text):
        raise BadRequest(f"the text has {len(text)} characters: there is no sentence at {start}")
    pauses = [pause for pause in marked.pauses if pause.start >= start]
    boundaries = sentence_boundaries(marked.text, start, [pause.start for pause in pauses])
    end, kind = boundaries[-1]
    request = _Request(marked, language, lexicon, switches)
    tokens, aligned = request.phonemize(start, end)
    limit = FIRST_SENTENCE if start == 0 else MAX_PHONEMES
    while _length(tokens) > limit:
        cut = _cut(tokens, aligned, limit, at_clause=limit < MAX_PHONEMES)
        if cut is None:
            limit = MAX_PHONEMES
            continue
        end = cut
        tokens, aligned = request.phonemize(start, end)
        kind = "clause" if tokens and tokens[-1].phonemes.endswith(tuple(_CLAUSE_ENDS)) else None
    seconds: float | None = None
    for pause in pauses:
        if marked.text[end : pause.start].strip().strip(markup.PLACEHOLDER):
            break
        if pause.start >= end:
            seconds, end = (seconds or 0.0) + pause.seconds, pause.end
    silent = {at for pause in pauses for at in range(pause.start, pause.end)}
    while end < len(text) and marked.text[end].isspace() and end not in silent:
        end += 1
    phonemes, words, breaks = _spoken(tokens, aligned, boundaries[:-1])
    ids = [IDS[sign] for sign in phonemes]
    return Sentence(phonemes, ids, words, breaks, kind, seconds, end if end < len(text) else None)


@dataclass(frozen=True, slots=True)
class _Request:
    """A text and how it is to be spoken."""

    marked: markup.MarkedText
    language: Language
    lexicon: Mapping[str, str]
    switches: Mapping[str, bool]

    def phonemize(self, start: int, end: int) -> tuple[list[Token], AlignedText]:
        aligned = AlignedText.of(self.marked.text[start:end], start)
        given = [
            Pronunciation(run.start - start, run.end - start, drop_unknown(run.phonemes))
            for run in self.marked.pronunciations
            if start <= run.start and run.end <= end
        ]
        given += _from_lexicon(aligned.text, self.lexicon, given)
        given.sort(key=lambda run: run.start)
        aligned = AlignedText(aligned.text, aligned.origins, tuple(given)).replace(_MARKUP, lambda _: "")
        aligned = AlignedText(_with_common_characters(aligned.text), aligned.origins, aligned.pronunciations)
        aligned = normalize(aligned, self.language, self.switches)
        aligned = _stripped(aligned.replace(_BLANKS, lambda _: " "))
        if not aligned.text:
            return [], aligned
        tokens = _without_gaps(phonemizer_for(self.language).phonemize(aligned), aligned.text)
        return [self._audible(token, aligned.text) for token in tokens], aligned

    def _audible(self, token: Token, text: str) -> Token:
        """Spells out a word that has no phonemes, such as one in a script that the phonemizer does not know."""
        word = text[token.start : token.end]
        phonemes, space = to_vocabulary(token.phonemes, self.language, word), drop_unknown(token.space)
        if not phonemes and any(sign.isalpha() for sign in word):
            phonemes, space = to_vocabulary(spelling_phonemizer().say(word), self.language, word), space or " "
        return Token(token.start, token.end, phonemes, space)


def _without_gaps(tokens: list[Token], text: str) -> list[Token]:
    """Adds letters and digits between two tokens to the second; a phonemizer may have written them in another way."""
    whole: list[Token] = []
    end = 0
    for token in tokens:
        lost = next((at for at in range(end, token.start) if text[at].isalnum()), token.start)
        whole.append(Token(lost, token.end, token.phonemes, token.space))
        end = max(end, token.end)
    if any(map(str.isalnum, text[end:])):
        whole.append(Token(end, len(text), ""))  # without phonemes yet: it is spelt out
    return whole


def _with_common_characters(text: str) -> str:
    """Replaces apostrophes, primes and digits by the characters that phonemizers know, one for one."""
    return "".join(
        str(unicodedata.digit(sign, sign)) if sign.isdecimal() else sign for sign in text.translate(_COMMON_CHARACTERS)
    )


def _stripped(aligned: AlignedText) -> AlignedText:
    """Removes blanks at both ends, which phonemizers would take for words."""
    first = len(aligned.text) - len(aligned.text.lstrip())
    last = len(aligned.text.rstrip())
    pronunciations = tuple(
        Pronunciation(run.start - first, run.end - first, run.phonemes) for run in aligned.pronunciations
    )
    return AlignedText(aligned.text[first:last], aligned.origins[first:last], pronunciations)


def _from_lexicon(text: str, lexicon: Mapping[str, str], given: list[Pronunciation]) -> list[Pronunciation]:
    """Finds the lexicon's words, the longest first; an entry in exactly this letter case goes before others."""
    found: list[Pronunciation] = []
    taken = list(given)
    # If spellings differ in case only, the lower-case one stands for all other spellings.
    ways = {word.lower(): lexicon[word] for word in sorted(lexicon, key=str.islower)}
    for word in sorted(ways, key=len, reverse=True):
        for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE):
            if not any(run.start < match.end() and match.start() < run.end for run in taken):
                run = Pronunciation(*match.span(), drop_unknown(lexicon.get(match[0], ways[word])))
                found.append(run)
                taken.append(run)
    return found


def _check_pronunciations(marked: markup.MarkedText, lexicon: Mapping[str, str]) -> None:
    sounds = {marked.text[run.start : run.end]: run.phonemes for run in marked.pronunciations}
    for word, sound in {**lexicon, **sounds}.items():
        if strange := unknown_symbols(sound.replace("/", "")):
            signs = " ".join(f"{sign!r} (U+{ord(sign):04X})" for sign in strange[:5])
            raise BadRequest(f"the pronunciation of {word!r} has signs that Kokoro does not know: {signs}")
        if len(drop_unknown(sound)) > MAX_PHONEMES // 4:
            raise BadRequest(f"the pronunciation of {word!r} is longer than {MAX_PHONEMES // 4} signs")


def _length(tokens: list[Token]) -> int:
    return sum(len(token.phonemes) + len(token.space) for token in tokens)


def _cut(tokens: list[Token], aligned: AlignedText, limit: int, *, at_clause: bool) -> int | None:
    """Returns the character of the written text in front of which to cut; None if there is no clause to cut at."""
    length = 0
    clause = word = None
    for token, following in pairwise(tokens):
        length += len(token.phonemes) + len(token.space)
        if length > limit:
            break
        place = aligned.origin(following.start, following.end)[0]
        if place < aligned.origin(token.start, token.end)[1]:
            continue  # between spoken words of one written word
        word = place
        if token.phonemes[-1:] in tuple(_CLAUSE_ENDS) and length >= SHORTEST_CLAUSE:
            clause = place
    if clause is not None or at_clause:
        return clause
    return word or _inside_word(tokens, aligned, limit)


def _inside_word(tokens: list[Token], aligned: AlignedText, limit: int) -> int:
    """Returns the middle of a word that is longer than a sentence may be, such as a number of 40 digits."""
    start, end = aligned.origin(tokens[0].start, tokens[0].end)
    for token in tokens[1:]:
        first, last = aligned.origin(token.start, token.end)
        if first >= end:
            break
        end = max(end, last)
    if end - start < 2:  # noqa: PLR2004 - nothing to cut
        raise BadRequest(f"the text has a word of more than {limit} signs: write it in parts")
    return (start + end) // 2


def _spoken(
    tokens: list[Token], aligned: AlignedText, boundaries: list[Boundary]
) -> tuple[str, list[tuple[int, int, int, int]], list[tuple[int, Break]]]:
    """Returns the phonemes, the words and the breaks of a sentence."""
    phonemes = ""
    words: list[tuple[int, int, int, int]] = []
    breaks: dict[int, Break] = {}
    coming = list(boundaries)
    for token in tokens:
        first = len(phonemes)
        while coming and coming[0].at <= aligned.origin(token.start, token.end)[0]:
            if (kind := coming.pop(0).kind) is not None and first:
                breaks[first] = kind
        phonemes += token.phonemes
        word = aligned.text[token.start : token.end]
        if any(map(str.isalnum, word)):
            start, end = aligned.origin(token.start + len(word) - len(word.lstrip()), token.start + len(word.rstrip()))
            if words and start < words[-1][3]:
                # Several spoken words for one written word, such as a number, have one mark.
                words[-1] = (words[-1][0], len(phonemes), words[-1][2], max(end, words[-1][3]))
            else:
                words.append((first, len(phonemes), start, end))
        phonemes += token.space
    phonemes = phonemes.rstrip(" ")
    heard = len(phonemes)  # a last word without phonemes may stand behind a blank
    words = [(min(first, heard), min(last, heard), start, end) for first, last, start, end in words]
    return phonemes, words, [(first, kind) for first, kind in breaks.items() if first < heard]
