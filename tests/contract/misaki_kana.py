"""Converts kana with misaki's cutlet, with which Kokoro 1.0 was trained, and with our table.

Run in the models' environment: words in katakana in, a JSON list; pairs of both out. Only the tables of cutlet are
used, so that its tagger and the dictionary of that need not be installed.
"""

import json
import sys
import types
from typing import Any

for name in ("fugashi", "jaconv", "mojimoji"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["fugashi"].Tagger = object  # type: ignore[attr-defined]

from misaki.cutlet import HEPBURN, Cutlet  # noqa: E402

from g2p.kana import kana_to_phonemes  # noqa: E402 - it needs the modules above


def upstream(cutlet: Any, word: str) -> str:
    hiragana = [chr(ord(kana) - 0x60) if kana <= "ヶ" else kana for kana in word]
    around = zip([None, *hiragana], hiragana, [*hiragana[1:], None], strict=False)
    return "".join(cutlet._get_single_mapping(*kana) for kana in around)


def main() -> None:
    cutlet = Cutlet.__new__(Cutlet)
    cutlet.table, cutlet.exceptions = dict(HEPBURN), {}
    json.dump([[upstream(cutlet, word), "".join(kana_to_phonemes(word))] for word in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
