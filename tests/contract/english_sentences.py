"""Phonemizes English sentences, run in the models' environment: texts in, phonemes and words out, as JSON."""

import json
import sys

from g2p.pipeline import next_sentence


def main() -> None:
    sentences = [next_sentence(text, 0, "en-US", {}, {}) for text in json.load(sys.stdin)]
    json.dump([{"phonemes": one.phonemes, "words": one.words} for one in sentences], sys.stdout)


if __name__ == "__main__":
    main()
