"""American and British English: misaki's dictionaries and rules, and eSpeak NG for words that are in none."""

import re
from itertools import pairwise
from typing import Any, Final, cast

import spacy
from misaki.en import G2P, Lexicon, MToken
from misaki.espeak import EspeakFallback
from spacy.language import Language as Pipeline
from spacy.tokens import Doc
from spacy.util import compile_infix_regex

from g2p import tagger
from g2p.aligned import AlignedText, Fixed, places
from g2p.token import Token

MODEL = "en_core_web_sm"  # used where it is installed
_UNKNOWN = "\ufffd"
# misaki has no sound for a dash of hyphens, and would run the words around it together. Of the two stops behind a
# shortened word at the end of a sentence only one is heard.
_TYPED_DASH = re.compile(r"-{2,}")
_SIGNS: Final = {"..": "."}
# spaCy cuts at a dash between letters only; quotes may stand around it, and a sign in front of those.
_DASH = r"(?:[\u2013\u2014]|-{2,})"
_QUOTE = "['\"‘’“”]"  # noqa: RUF001
_AT_DASHES = (
    rf"[.,;:!?…](?={_QUOTE}{_DASH})", rf"{_QUOTE}(?={_DASH})", rf"(?<=\w|{_QUOTE}){_DASH}(?={_QUOTE}|\w|$)",
    rf"(?<=[\u2013\u2014]){_QUOTE}(?=\w)", rf"(?<=--){_QUOTE}(?=\w)",
)  # fmt: skip


def pipeline() -> tuple[Pipeline, bool]:
    """Return what cuts and tags English, and whether it is spaCy's trained model; nothing is ever downloaded."""
    trained = spacy.util.is_package(MODEL)
    cutter = spacy.load(MODEL, enable=["tok2vec", "tagger"]) if trained else spacy.blank("en")
    tokenizer = cast(Any, cutter.tokenizer)
    tokenizer.infix_finditer = compile_infix_regex([*(cutter.Defaults.infixes or ()), *_AT_DASHES]).finditer
    return cutter, trained


class EnglishReader(G2P):  # type: ignore[misc]
    """misaki's G2P with another way in: its own constructor downloads spaCy's model."""

    def __init__(self, *, british: bool) -> None:
        self.version, self.british, self.unk = None, british, _UNKNOWN
        self.nlp, self._trained = pipeline()
        self.lexicon, self.fallback = Lexicon(british), EspeakFallback(british)

    def read(self, text: AlignedText) -> list[Token]:
        words = self(text.text, preprocess=lambda plain: (plain, [], text.fixed))[1]
        tokens: list[Token] = []
        # misaki leaves out apostrophes behind digits and signs, so that its words are looked for in the text.
        for word, (start, end) in zip(words, places([word.text for word in words], text.text), strict=True):
            phonemes = word.phonemes
            if (phonemes is None or not phonemes.replace(_UNKNOWN, "").strip()) and _is_spoken(word.text):
                # In no dictionary, and the rules gave up: the whole of it goes to eSpeak NG.
                phonemes = self.fallback(word)[0]
            tokens.append(Token(start, end, (phonemes or "").replace(_UNKNOWN, ""), word.whitespace))
        return tokens

    def tokenize(self, text: str, _: list[str], fixed: tuple[Fixed, ...]) -> list[MToken]:
        """Cut into spaCy's tokens, with each run of given phonemes as one token of its own."""
        doc = self._tagged(text, fixed)
        given = {run.start: run.phonemes for run in fixed}
        tokens = []
        at = 0
        for token in doc:
            if sign := "—" if _TYPED_DASH.fullmatch(token.text) else _SIGNS.get(token.text):
                given.setdefault(at, sign)
            ours = MToken(
                text=token.text,
                tag=token.tag_,
                whitespace=token.whitespace_,
                phonemes=given.get(at),
                _=MToken.Underscore(is_head=True, num_flags="", prespace=False, rating=5 if at in given else None),
            )
            tokens.append(ours)
            at += len(token.text_with_ws)
        return tokens

    def _tagged(self, text: str, fixed: tuple[Fixed, ...]) -> Doc:
        doc = self.nlp.make_doc(text)
        if fixed:
            doc = _with_runs(doc, text, fixed)
        if not self._trained:
            return tagger.tag(doc)
        for _, step in self.nlp.pipeline:
            doc = step(doc)
        return doc


def _with_runs(doc: Doc, text: str, fixed: tuple[Fixed, ...]) -> Doc:
    edges = {edge for run in fixed for edge in (run.start, run.end)}
    inside = {at for run in fixed for at in range(run.start + 1, run.end)}
    cuts = {token.idx for token in doc} | {token.idx + len(token.text) for token in doc} | edges
    ordered = sorted(cut for cut in cuts if cut not in inside)
    words: list[str] = []
    spaces: list[bool] = []
    for first, last in pairwise(ordered):
        piece = text[first:last]
        if piece == " " and words and not spaces[-1]:
            spaces[-1] = True  # spaCy keeps one space as part of the word in front of it
        elif piece:
            words.append(piece)
            spaces.append(False)
    return Doc(doc.vocab, words=words, spaces=spaces)


def _is_spoken(text: str) -> bool:
    return any(sign.isalnum() for sign in text)
