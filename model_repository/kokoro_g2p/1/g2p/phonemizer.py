"""Text to sentences of phonemes: markup, lexicon, normalization, the language's reader, and Kokoro's limits."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from g2p import markup
from g2p.aligned import AlignedText, Fixed
from g2p.language import Language, language_of
from g2p.normalize import normalize
from g2p.refusal import Refused
from g2p.sentences import sentence_end
from g2p.token import Reader, Token
from g2p.vocabulary import IDS, MOST, known, sayable, unknown

if TYPE_CHECKING:
    from g2p.espeak import EspeakReader

EARLY: Final = 120  # signs: a first sentence longer than that is cut at a clause, so that something is heard soon
EARLIEST: Final = 20

_MARKUP = re.compile(f"{markup.SIGN}+")
_BLANKS = re.compile(r"\s+")
_CLAUSE_ENDS: Final = ",;:—…"
_COMMON: Final = str.maketrans({
    **dict.fromkeys("\u02bc\uff07\u055a\ua78c\u00b4\u02bb\u02bd", "’"), **dict.fromkeys("\u201b", "‘"),  # noqa: RUF001
    **dict.fromkeys("\u02b9\u02ca\u2035", "′"), **dict.fromkeys("\u02ba\u2036", "″"),  # noqa: RUF001
    **dict.fromkeys("\uff02\u02ee\u201f", '"'),
})  # fmt: skip
"""Letters of Unicode that are apostrophes or primes, of which readers would say the names."""


@dataclass(frozen=True, slots=True)
class Sentence:
    phonemes: str
    ids: list[int]
    words: list[tuple[int, int, int, int]]
    """First and last phoneme, first and last character of the text; the last ones exclusive."""
    pause: float
    next: int | None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def _english(british: bool) -> Callable[[], Reader]:  # noqa: FBT001
    def make() -> Reader:
        from g2p.english import EnglishReader  # noqa: PLC0415 - each language takes time and memory

        return EnglishReader(british=british)

    return make


def _espeak(name: str) -> Callable[[], Reader]:
    def make() -> Reader:
        from g2p.espeak import EspeakReader  # noqa: PLC0415

        return EspeakReader(name)

    return make


def _chinese() -> Reader:
    from g2p.chinese import ChineseReader  # noqa: PLC0415

    return ChineseReader()


def _japanese() -> Reader:
    from g2p.japanese import JapaneseReader  # noqa: PLC0415

    return JapaneseReader()


_READERS: Final[dict[Language, Callable[[], Reader]]] = {
    "en-US": _english(british=False),
    "en-GB": _english(british=True),
    "es": _espeak("es"),
    "fr": _espeak("fr-fr"),
    "hi": _espeak("hi"),
    "it": _espeak("it"),
    "ja": _japanese,
    "pt-BR": _espeak("pt-br"),
    "zh": _chinese,
}


@lru_cache(1)
def spelling() -> "EspeakReader":
    from g2p.espeak import EspeakReader  # noqa: PLC0415

    return EspeakReader("en-us")


@lru_cache(None)
def reader_of(language: Language) -> Reader:
    return _READERS[language]()


def speak_next(
    text: str,
    start: int,
    tag: str,
    lexicon: Mapping[str, str],
    switches: Mapping[str, bool],
    *,
    has_markup: bool = False,
) -> Sentence:
    """Return the sentence at character `start`, where the one before said that the next begins. Raises Refused."""
    language = language_of(tag)
    marked = markup.read(text) if has_markup else markup.Marked(text, (), ())
    _check(marked, lexicon)
    if not 0 <= start < len(text):
        raise Refused(f"the text has {len(text)} characters: there is no sentence at {start}")
    pauses = [pause for pause in marked.pauses if pause.start >= start]
    end = sentence_end(marked.text, start, [pause.start for pause in pauses])
    read = _Sentence(marked, language, lexicon, switches)
    tokens, aligned = read.between(start, end)
    limit = EARLY if start == 0 else MOST
    while _length(tokens) > limit:
        cut = _cut(tokens, aligned, limit, at_clause=limit < MOST)
        if cut is None:
            limit = MOST
            continue
        end = cut
        tokens, aligned = read.between(start, end)
    seconds = 0.0
    for pause in pauses:
        if marked.text[end : pause.start].strip().strip(markup.SIGN):
            break
        if pause.start >= end:
            seconds, end = seconds + pause.seconds, pause.end
    silent = {at for pause in pauses for at in range(pause.start, pause.end)}
    while end < len(text) and marked.text[end].isspace() and end not in silent:
        end += 1
    return _finished(tokens, aligned, seconds, end if end < len(text) else None)


@dataclass(frozen=True, slots=True)
class _Sentence:
    """How a part of one text is read."""

    marked: markup.Marked
    language: Language
    lexicon: Mapping[str, str]
    switches: Mapping[str, bool]

    def between(self, start: int, end: int) -> tuple[list[Token], AlignedText]:
        aligned = AlignedText.of(self.marked.text[start:end], start)
        given = [
            Fixed(run.start - start, run.end - start, known(run.phonemes))
            for run in self.marked.pronounced
            if start <= run.start and run.end <= end
        ]
        given += _from_lexicon(aligned.text, self.lexicon, given)
        given.sort(key=lambda run: run.start)
        aligned = AlignedText(aligned.text, aligned.origins, tuple(given)).replace(_MARKUP, lambda _: "")
        aligned = AlignedText(_in_common_signs(aligned.text), aligned.origins, aligned.fixed)
        aligned = normalize(aligned, self.language, self.switches)
        aligned = _stripped(aligned.replace(_BLANKS, lambda _: " "))
        if not aligned.text:
            return [], aligned
        tokens = _without_gaps(reader_of(self.language).read(aligned), aligned.text)
        return [self._audible(token, aligned.text) for token in tokens], aligned

    def _audible(self, token: Token, text: str) -> Token:
        """A word of which nothing is left, such as one in a script that the reader does not know, is spelt out."""
        word = text[token.start : token.end]
        phonemes, space = sayable(token.phonemes, self.language, word), known(token.space)
        if not phonemes and any(sign.isalpha() for sign in word):
            phonemes, space = sayable(spelling().say(word), self.language, word), space or " "
        return Token(token.start, token.end, phonemes, space)


def _without_gaps(tokens: list[Token], text: str) -> list[Token]:
    """Letters and digits that lie between two tokens, where a reader wrote them in another way, go to the next one."""
    whole: list[Token] = []
    end = 0
    for token in tokens:
        lost = next((at for at in range(end, token.start) if text[at].isalnum()), token.start)
        whole.append(Token(lost, token.end, token.phonemes, token.space))
        end = max(end, token.end)
    if any(map(str.isalnum, text[end:])):
        whole.append(Token(end, len(text), ""))  # with nothing to hear yet: it is spelt out
    return whole


def _in_common_signs(text: str) -> str:
    """Write apostrophes, primes and digits by the signs that readers know, each by one sign."""
    return "".join(str(unicodedata.digit(sign, sign)) if sign.isdecimal() else sign for sign in text.translate(_COMMON))


def _stripped(aligned: AlignedText) -> AlignedText:
    """Without blanks at both ends, which readers would take for words."""
    first = len(aligned.text) - len(aligned.text.lstrip())
    last = len(aligned.text.rstrip())
    fixed = tuple(Fixed(run.start - first, run.end - first, run.phonemes) for run in aligned.fixed)
    return AlignedText(aligned.text[first:last], aligned.origins[first:last], fixed)


def _from_lexicon(text: str, lexicon: Mapping[str, str], given: list[Fixed]) -> list[Fixed]:
    """Find the lexicon's words, the longest first; an entry in just this spelling goes before one in another case."""
    found: list[Fixed] = []
    taken = list(given)
    # Of two spellings that differ in case only, the one in small letters stands for all others.
    ways = {word.lower(): lexicon[word] for word in sorted(lexicon, key=str.islower)}
    for word in sorted(ways, key=len, reverse=True):
        for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE):
            if not any(run.start < match.end() and match.start() < run.end for run in taken):
                run = Fixed(*match.span(), known(lexicon.get(match[0], ways[word])))
                found.append(run)
                taken.append(run)
    return found


def _check(marked: markup.Marked, lexicon: Mapping[str, str]) -> None:
    sounds = {marked.text[run.start : run.end]: run.phonemes for run in marked.pronounced}
    for word, sound in {**lexicon, **sounds}.items():
        if strange := unknown(sound.replace("/", "")):
            signs = " ".join(f"{sign!r} (U+{ord(sign):04X})" for sign in strange[:5])
            raise Refused(f"the pronunciation of {word!r} has signs that Kokoro does not know: {signs}")
        if len(known(sound)) > MOST // 4:
            raise Refused(f"the pronunciation of {word!r} is longer than {MOST // 4} signs")


def _length(tokens: list[Token]) -> int:
    return sum(len(token.phonemes) + len(token.space) for token in tokens)


def _cut(tokens: list[Token], aligned: AlignedText, limit: int, *, at_clause: bool) -> int | None:
    """Return the character of the written text in front of which to cut, None if there is no such clause."""
    length = 0
    clause = word = None
    for token, following in pairwise(tokens):
        length += len(token.phonemes) + len(token.space)
        if length > limit:
            break
        place = aligned.origin(following.start, following.end)[0]
        if place < aligned.origin(token.start, token.end)[1]:
            continue  # between words that are spoken for one that was written
        word = place
        if token.phonemes[-1:] in tuple(_CLAUSE_ENDS) and length >= EARLIEST:
            clause = place
    if clause is not None or at_clause:
        return clause
    if word is None:
        raise Refused(f"the text has a word of more than {limit} signs: write it in parts")
    return word


def _finished(tokens: list[Token], aligned: AlignedText, pause: float, following: int | None) -> Sentence:
    phonemes = ""
    words: list[tuple[int, int, int, int]] = []
    for token in tokens:
        first = len(phonemes)
        phonemes += token.phonemes
        word = aligned.text[token.start : token.end]
        if any(map(str.isalnum, word)):
            start, end = aligned.origin(token.start + len(word) - len(word.lstrip()), token.start + len(word.rstrip()))
            if words and start < words[-1][3]:
                # Several words are spoken for one that was written, as with numbers: they are one mark.
                words[-1] = (words[-1][0], len(phonemes), words[-1][2], max(end, words[-1][3]))
            else:
                words.append((first, len(phonemes), start, end))
        phonemes += token.space
    phonemes = phonemes.rstrip(" ")
    heard = len(phonemes)  # a last word of which nothing is heard may stand behind a blank
    words = [(min(first, heard), min(last, heard), start, end) for first, last, start, end in words]
    return Sentence(phonemes, [IDS[sign] for sign in phonemes], words, pause, following)
