"""`make ears-demo`: texts at several speeds as WAV files, with a table of what Whisper hears of them.

    python -m tests.ears.demo FOLDER [--precision int8]

FOLDER gets a folder of WAV files for each speed, table.md, and heard.txt, which shows each error. Run it in two
checkouts to compare them.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from lectern import Client
from tests.ears.conftest import kokoro_client
from tests.ears.listener import Listener
from tests.ears.pauses import SHORTEST, TimingErrors, timing_errors
from tests.ears.recording import LANGUAGE, MODEL, VOICE, Recording, spoken
from tests.ears.texts import DOCUMENT, JAPANESE, MIX, NUMBERS, PARAGRAPH, SENTENCES, Text
from tests.ears.transcript import Comparison, compare_signs, compare_words, contains, error_rate

SPEEDS: Final = (1.0, 1.5, 2.0, 2.5, 3.0)
Compare = Callable[[str, str, str], Comparison]


class Demo:
    def __init__(self, client: Client, folder: Path) -> None:
        self._client = client
        self._listener = Listener()
        self._folder = folder
        self._heard: list[str] = []

    def table(self) -> str:
        """Speaks and hears everything, and returns the table in Markdown."""
        rows = [["speed", "sentences", "paragraph", "starts", "ends", "seconds"], ["---:"] * 6]
        rows += [self._row(speed) for speed in SPEEDS]
        others = (
            ("a document, word error rate", self._rate(compare_words, [self._document()], [DOCUMENT])),
            ("a mix, word error rate", self._rate(compare_words, *self._at(1.0, MIX, voice={VOICE: 1, "jm_kumo": 1}))),
            ("Japanese, sign error rate", self._rate(compare_signs, *self._at(1.0, *JAPANESE, language="ja"))),
            ("numbers that are heard as people say them", self._numbers()),
        )
        lines = [f"| {' | '.join(row)} |" for row in rows]
        return "\n".join((*lines, "", *(f"- {name}: {value}" for name, value in others), ""))

    def transcripts(self) -> str:
        return "\n".join(self._heard)

    def _row(self, speed: float) -> list[str]:
        sentences, said = self._at(speed, *SENTENCES)
        (paragraph,), _ = self._at(speed, PARAGRAPH)
        errors = sum(
            (timing_errors(recording, SHORTEST / speed) for recording in (*sentences, paragraph)), TimingErrors([], [])
        )
        return [
            f"{speed:g}",
            self._rate(compare_words, sentences, said),
            self._rate(compare_words, [paragraph], [PARAGRAPH]),
            _milliseconds(errors.starts),
            _milliseconds(errors.ends),
            f"{sum(recording.seconds for recording in sentences):.1f}",
        ]

    def _at(self, speed: float, *texts: Text, **options: object) -> tuple[list[Recording], Sequence[Text]]:
        recordings = [spoken(self._client, text.spoken, speed=speed, **options) for text in texts]
        for text, recording in zip(texts, recordings, strict=True):
            recording.save(self._folder / f"{speed:g}" / f"{text.name}.wav")
        return recordings, texts

    def _document(self) -> Recording:
        document = self._client.wait_until_ready(self._client.create_document(DOCUMENT.spoken).id)
        audio = self._client.stream_document_audio(
            document.id, voice=VOICE, model=MODEL, language=LANGUAGE, audio_format="pcm"
        )
        recording = Recording(np.frombuffer(b"".join(audio), "<i2"))
        recording.save(self._folder / "1" / f"{DOCUMENT.name}.wav")
        return recording

    def _rate(self, compare: Compare, recordings: Sequence[Recording], texts: Sequence[Text]) -> str:
        language = "ja" if compare is compare_signs else "en"
        found = [
            compare(text.name, text.heard, self._listener.transcript(recording, language))
            for text, recording in zip(texts, recordings, strict=True)
        ]
        self._heard += map(str, found)
        return f"{error_rate(found):.1%}"

    def _numbers(self) -> str:
        recordings, texts = self._at(1.0, *NUMBERS)
        heard = [self._listener.transcript(recording) for recording in recordings]
        self._heard += [f"{text.spoken} -> {found}" for text, found in zip(texts, heard, strict=True)]
        good = sum(contains(found, text.heard) for text, found in zip(texts, heard, strict=True))
        return f"{good} of {len(texts)}"


def _milliseconds(errors: Sequence[float]) -> str:
    """Returns the mean, and the mean distance, of so many."""
    inside = 1000 * np.array(errors)
    return f"{inside.mean():+.0f} ms, {np.abs(inside).mean():.0f} away ({len(inside)})" if errors else "none"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="make ears-demo", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--precision", choices=("fp32", "fp16", "int8"), default="fp32")
    options = parser.parse_args(arguments)
    with kokoro_client(options.precision) as client:
        demo = Demo(client, options.folder)
        table = demo.table()
    (options.folder / "heard.txt").write_text(demo.transcripts())
    (options.folder / "table.md").write_text(table)
    sys.stdout.write(table)


if __name__ == "__main__":
    main()
