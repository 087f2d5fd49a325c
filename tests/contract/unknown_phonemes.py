"""Phonemizes texts with kokoro_g2p's own phonemizers, and tells which phonemes Kokoro's vocabulary lacks.

Run in the models' environment: a JSON object in, language to texts; what the log said out, as a JSON list.
"""

import json
import logging
import sys

from g2p.pipeline import next_sentence


class Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def main() -> None:
    errors = Errors()
    logging.getLogger("g2p").addHandler(errors)
    for language, texts in json.load(sys.stdin).items():
        for text in texts:
            start: int | None = 0
            while start is not None:
                start = next_sentence(text, start, language, {}, {}, has_markup=False).next
    json.dump(errors.messages, sys.stdout)


if __name__ == "__main__":
    main()
