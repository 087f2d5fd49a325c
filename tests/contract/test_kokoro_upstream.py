"""Two hundred sentences with traps: the tokens are upstream's, but for those that are written out on purpose."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.contract.g2p_client import G2P

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "model_repository" / "kokoro_g2p" / "1"
SENTENCES = (ROOT / "tests" / "fixtures" / "g2p" / "sentences.txt").read_text(encoding="utf-8").splitlines()
OFF = dict.fromkeys(("numbers", "money", "dates", "units", "urls", "emails"), False)

# Where upstream reads signs one by one, or leaves them out, and we write out what they stand for.
WRITTEN_OUT = {
    "dates": ("2025-03-14", "12/24/2023", "7:05", "9:00 AM"),
    "units": ("5 kg", "21 °C", "300 km/h", "512 GB", "2.4 GHz", "250 ml"),
    "money": (),  # upstream reads it as we do
    "numbers": ("10-20", "1/2", "No. 7", "Prof.", "Elm St.", "etc. to", "Inc. and", "Louis XIV"),
    "urls": ("https://", "example.org"),
    "emails": ("bob.smith@", "info@"),
}
# What no tag tells, and we know by the words around.
SOUNDS_LIKE = ("lead pipes",)


@pytest.fixture(scope="module")
def upstream() -> list[list[int]]:
    done = subprocess.run(
        [ROOT / ".venvs" / "models" / "bin" / "python", "-P", ROOT / "tests" / "contract" / "misaki_english.py"],
        input="\n".join(SENTENCES).encode(), capture_output=True, check=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
    )  # fmt: skip
    return [list(ids) for ids in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def g2p(triton_address: str) -> G2P:
    return G2P(triton_address)


def ours(g2p: G2P, sentence: str, normalization: dict[str, bool]) -> list[int]:
    ids: list[int] = []
    for part in g2p.sentences(sentence, normalization=normalization):
        ids += [*([16] if ids else []), *part.ids]  # the blank between two sentences
    return ids


def test_there_are_two_hundred_sentences() -> None:
    assert len(SENTENCES) == len(set(SENTENCES)) == 200


def test_without_normalization_the_tokens_are_upstreams(g2p: G2P, upstream: list[list[int]]) -> None:
    different = [sentence for sentence, ids in zip(SENTENCES, upstream, strict=True) if ours(g2p, sentence, OFF) != ids]
    assert different == [sentence for sentence in SENTENCES if any(words in sentence for words in SOUNDS_LIKE)]


def test_with_it_only_what_is_written_out_differs(g2p: G2P, upstream: list[list[int]]) -> None:
    expected = [*SOUNDS_LIKE, *(sign for signs in WRITTEN_OUT.values() for sign in signs)]
    different = {sentence for sentence, ids in zip(SENTENCES, upstream, strict=True) if ours(g2p, sentence, {}) != ids}
    assert different == {sentence for sentence in SENTENCES if any(sign in sentence for sign in expected)}
