"""`make kokoro`: fetches Kokoro's weights, or makes random ones, and installs the packed model for Triton."""

import argparse
import importlib.metadata
import logging
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kokoro_export.checked_export import PACKAGES, Figures, checked_export, key_of
from kokoro_export.install import install, version_of
from kokoro_export.model import PackedKokoro
from kokoro_export.onnx_export import export
from kokoro_export.precision import WrongWeights, check_rounding, to_fp16, to_int8
from kokoro_export.random_weights import random_kmodel, random_voice
from kokoro_export.upstream import (
    LOCK,
    NotAVoice,
    StyleTable,
    architecture,
    build,
    published_voices,
    read_published_voice,
)
from kokoro_export.verification import NotTheSame, Sentences, check_arithmetic, check_batches, check_sound
from weights.download import Unreachable, WrongContent, fetch
from weights.lock_file import MIRROR_VARIABLE, BadLock, hub_mirror, read

UNREACHABLE = 3  # exit status: there is no way to the hub, and everything else goes on without
PREFERRED = "af_heart"


class Source(NamedTuple):
    """What is exported."""

    build: Callable[[], Any]
    """Upstream's model; it takes some seconds and 1 GB."""
    voices: dict[str, StyleTable]
    weights: dict[str, str]
    """What tells these weights from others: the hash of each file, by its name."""
    published: bool


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")  # the exporter's, about what the checks below cover
    try:
        _make(options, _random(options) if options.random else _published(options.work, options.lock))
    except Unreachable as error:
        _say(f"Kokoro's weights cannot be fetched: {error}")
        _say("Lectern speaks with espeak without them. With a mirror, or once there is a way to the hub:")
        _say(f"  {MIRROR_VARIABLE}=https://mirror.example make kokoro")
        _say("To try all else, take random weights, which babble:  make kokoro RANDOM=1")
        return UNREACHABLE
    except (BadLock, NotAVoice, NotTheSame, WrongContent, WrongWeights) as error:
        _say(f"Kokoro is not installed: {error}")
        return 1
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make kokoro", description=__doc__)
    parser.add_argument("--random", choices=("full", "tiny"), help="random weights, which babble")
    parser.add_argument("--precision", choices=("fp32", "fp16", "int8"), default="fp32")
    parser.add_argument("--repository", type=Path, required=True, help="the model repository to install into")
    parser.add_argument("--work", type=Path, required=True, help="the folder of the downloads")
    parser.add_argument("--voices", help="only these, with commas between them")
    parser.add_argument("--lock", type=Path, default=LOCK, help="of weights published elsewhere, in the same layout")
    return parser.parse_args(arguments)


def _random(options: argparse.Namespace) -> Source:
    names = options.voices.split(",") if options.voices else published_voices()
    voices = {name: random_voice(name) for name in names}
    return Source(lambda: random_kmodel(options.random), voices, {"random": options.random}, published=False)


def _published(work: Path, lock: Path) -> Source:
    files = read(lock, hub_mirror())
    there = {file.name: fetch(file, work) for file in files}
    checkpoint = there["kokoro-v1_0.pth"]
    voices = {path.stem: read_published_voice(path) for name, path in there.items() if name.startswith("voices/")}
    hashes = {file.name: file.sha256 for file in files}
    return Source(lambda: build(architecture(), checkpoint), voices, hashes, published=True)


def _make(options: argparse.Namespace, source: Source) -> None:
    style = source.voices.get(PREFERRED, next(iter(source.voices.values())))
    began = time.monotonic()

    def progress(line: str) -> None:
        _say(f"{time.monotonic() - began:4.0f} s  {line}")

    def export_and_check(file: Path) -> Figures:
        progress("building the model")
        kmodel = source.build()
        progress("checking the packed model against upstream's, in double precision")
        figures = check_arithmetic(kmodel, style)
        progress("exporting to ONNX")
        export(PackedKokoro(kmodel), file)
        # Strictly, whatever the precision: what 8 bits differ by would hide a mistake of the export.
        progress("checking the file: batches against single sentences")
        sentences = Sentences(file, style)
        figures |= check_batches(sentences, "fp32")
        progress("checking the file: its sound against torch's")
        return figures | check_sound(sentences, sentences.in_torch(kmodel), "fp32")

    file, figures = checked_export(options.work, key_of(source.weights), export_and_check)
    with tempfile.TemporaryDirectory() as folder:
        if options.precision != "fp32":
            progress(f"converting to {options.precision}")
            file, whole = Path(folder) / f"{options.precision}.onnx", file
            if options.precision == "fp16":
                to_fp16(whole, file)
            else:
                to_int8(whole, file, list(source.voices.values()))
                figures |= check_rounding(whole, file)
            progress(f"checking the file in {options.precision}: batches, and its sound against single precision's")
            sentences = Sentences(file, style)
            figures |= check_batches(sentences, options.precision)
            figures |= check_sound(sentences, Sentences(whole, style).alone, options.precision)
        card = {
            "model": "Kokoro-82M",
            "version": version_of(file, source.voices),
            "precision": options.precision,
            "weights": {"full": "random", "tiny": "tiny", None: "published"}[options.random],
            "sources": source.weights if source.published else {},
            "versions": {package: importlib.metadata.version(package) for package in PACKAGES},
            "check": {name: float(f"{figure:.4g}") for name, figure in figures.items()},
        }
        install(file, source.voices, card, options.repository)
    progress(
        f"installed {len(source.voices)} voices in {options.repository}: "
        + ", ".join(f"{name} {figure:.2g}" for name, figure in figures.items())
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
