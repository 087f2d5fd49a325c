"""Phonemizes English with misaki alone, with our tagger in place of spaCy's trained one, as the reference.

Run in the models' environment: sentences in, a line each; token ids out, as JSON.
"""

import json
import sys
from typing import Any

import spacy
from misaki.en import G2P, Lexicon
from misaki.espeak import EspeakFallback
from spacy.language import Language

from g2p import homographs, pos_tagger
from g2p.vocabulary import IDS


@Language.component("rules")
def rules(doc: Any) -> Any:
    return homographs.correct(pos_tagger.tag(doc))


class Upstream(G2P):  # type: ignore[misc]
    """As `KPipeline("a")` makes it, without the download that its constructor would do."""

    def __init__(self) -> None:
        self.version, self.british, self.unk = None, False, ""
        self.nlp = spacy.blank("en")
        self.nlp.add_pipe("rules")
        self.lexicon, self.fallback = Lexicon(british=False), EspeakFallback(british=False)


def main() -> None:
    read = Upstream()
    sentences = sys.stdin.buffer.read().decode().splitlines()
    ids = [[IDS[sign] for sign in read(sentence)[0] if sign in IDS] for sentence in sentences]
    sys.stdout.write(json.dumps(ids))


if __name__ == "__main__":
    main()
