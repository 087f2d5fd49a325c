"""American and British English: misaki's dictionaries and rules, and eSpeak NG for words that are in none."""

import re
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, cast

import spacy
from misaki.en import G2P, Lexicon, MToken
from misaki.espeak import EspeakFallback
from spacy.language import Language as Pipeline
from spacy.tokens import Doc
from spacy.util import compile_infix_regex

from g2p import homographs, pos_tagger, punctuation
from g2p.aligned_text import AlignedText, Pronunciation, locate
from g2p.phonemizer import Token

TAGGER: Final = Path(__file__).parents[2] / "en_core_web_sm"
"""spaCy's trained tagger, where `make kokoro` could fetch it."""
_NOT_INSTALLED: Final = ("parser", "senter", "ner", "attribute_ruler", "lemmatizer")
_UNKNOWN = "\ufffd"
# misaki has no symbol for a dash typed as hyphens, and would run the words around it together. An abbreviation at the
# end of a sentence has two full stops, of which one is spoken.
_TYPED_DASH = re.compile(r"-{2,}")
_SIGNS: Final = {"..": "."}
# spaCy splits at a dash between letters only; here quotes may be around it, and punctuation in front of those.
_DASH = r"(?:[\u2013\u2014]|-{2,})"
_QUOTE = "['\"‘’“”]"  # noqa: RUF001
_AT_DASHES = (
    rf"[.,;:!?…](?={_QUOTE}{_DASH})", rf"{_QUOTE}(?={_DASH})", rf"(?<=\w|{_QUOTE}){_DASH}(?={_QUOTE}|\w|$)",
    rf"(?<=[\u2013\u2014]){_QUOTE}(?=\w)", rf"(?<=--){_QUOTE}(?=\w)",
)  # fmt: skip


def _load_spacy() -> tuple[Pipeline, bool]:
    """Returns what tokenizes and tags English, and whether it is spaCy's trained model; downloads nothing."""
    trained = TAGGER.is_dir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the model is of spaCy 3.8, which computes the same
        cutter = spacy.load(TAGGER, exclude=_NOT_INSTALLED) if trained else spacy.blank("en")
    tokenizer = cast(Any, cutter.tokenizer)
    tokenizer.infix_finditer = compile_infix_regex([*(cutter.Defaults.infixes or ()), *_AT_DASHES]).finditer
    return cutter, trained


class EnglishPhonemizer(G2P):  # type: ignore[misc]
    """misaki's G2P with a constructor of its own: misaki's downloads spaCy's model."""

    def __init__(self, *, british: bool) -> None:
        self.version, self.british, self.unk = None, british, _UNKNOWN
        self.nlp, self._trained = _load_spacy()
        self.lexicon, self.fallback = Lexicon(british), EspeakFallback(british)

    def phonemize(self, text: AlignedText) -> list[Token]:
        words = self(text.text, preprocess=lambda plain: (plain, [], text.pronunciations))[1]
        tokens: list[Token] = []
        # misaki leaves out apostrophes behind digits and signs, so its words are located in the text.
        for word, (start, end) in zip(words, locate([word.text for word in words], text.text), strict=True):
            phonemes = word.phonemes
            if (phonemes is None or not phonemes.replace(_UNKNOWN, "").strip()) and _is_spoken(word.text):
                # In no dictionary, and the rules gave up: eSpeak NG speaks the whole word.
                phonemes = self.fallback(word)[0]
            tokens.append(Token(start, end, (phonemes or "").replace(_UNKNOWN, ""), word.whitespace))
        return tokens

    def tokenize(self, text: str, _: list[str], given: tuple[Pronunciation, ...]) -> list[MToken]:
        """Returns spaCy's tokens, with each given pronunciation as one token of its own."""
        doc = self._tagged(text, given)
        phonemes_at = {run.start: run.phonemes for run in given}
        alike = homographs.sounds_like(text)
        tokens = []
        at = 0
        for token in doc:
            if sign := "—" if _TYPED_DASH.fullmatch(token.text) else _SIGNS.get(token.text):
                phonemes_at.setdefault(at, sign)
            ours = MToken(
                text=token.text,
                tag=token.tag_,
                whitespace=token.whitespace_,
                phonemes=phonemes_at.get(at),
                _=MToken.Underscore(
                    is_head=True,
                    num_flags="",
                    prespace=False,
                    rating=5 if at in phonemes_at else None,
                    alias=None if at in phonemes_at else alike.get(at),
                ),
            )
            tokens.append(ours)
            at += len(token.text_with_ws)
        return tokens

    def _tagged(self, text: str, given: tuple[Pronunciation, ...]) -> Doc:
        doc = self.nlp.make_doc(text)
        if given:
            doc = _with_given(doc, text, given)
        if not self._trained:
            return homographs.correct(pos_tagger.tag(doc))
        for _, step in self.nlp.pipeline:
            doc = step(doc)
        return homographs.correct(punctuation.tag(doc))


def _with_given(doc: Doc, text: str, given: tuple[Pronunciation, ...]) -> Doc:
    edges = {edge for run in given for edge in (run.start, run.end)}
    inside = {at for run in given for at in range(run.start + 1, run.end)}
    cuts = {token.idx for token in doc} | {token.idx + len(token.text) for token in doc} | edges
    ordered = sorted(cut for cut in cuts if cut not in inside)
    words: list[str] = []
    spaces: list[bool] = []
    for first, last in pairwise(ordered):
        part = text[first:last]
        if part == " " and words and not spaces[-1]:
            spaces[-1] = True  # spaCy keeps one space as part of the word in front of it
        elif part:
            words.append(part)
            spaces.append(False)
    return Doc(doc.vocab, words=words, spaces=spaces)


def _is_spoken(text: str) -> bool:
    return any(sign.isalnum() for sign in text)
