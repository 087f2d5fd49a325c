"""`make kokoro`: fetches Kokoro's weights, or makes random ones, and installs the packed model for Triton."""

import argparse
import importlib.metadata
import logging
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
from kokoro_export.verification import NotTheSame, check_arithmetic, check_batches, check_sound
from weights.download import Unreachable, WrongContent, fetch
from weights.lock_file import MIRROR_VARIABLE, BadLock, hub_mirror, read

UNREACHABLE = 3  # exit status: there is no way to the hub, and everything else goes on without
PREFERRED = "af_heart"
_PACKAGES = ("torch", "kokoro", "onnx", "onnxruntime", "numpy")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")  # the exporter's, about what the checks below cover
    try:
        kmodel, voices, sources = _random(options) if options.random else _published(options.work, options.lock)
        _make(options, kmodel, voices, sources)
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


def _random(options: argparse.Namespace) -> tuple[Any, dict[str, StyleTable], dict[str, str]]:
    _say(f"making random weights ({options.random})")
    names = options.voices.split(",") if options.voices else published_voices()
    return random_kmodel(options.random), {name: random_voice(name) for name in names}, {}


def _published(work: Path, lock: Path) -> tuple[Any, dict[str, StyleTable], dict[str, str]]:
    files = read(lock, hub_mirror())
    there = {file.name: fetch(file, work) for file in files}
    checkpoint = there["kokoro-v1_0.pth"]
    voices = {path.stem: read_published_voice(path) for name, path in there.items() if name.startswith("voices/")}
    return build(architecture(), checkpoint), voices, {file.name: file.sha256 for file in files}


def _make(
    options: argparse.Namespace,
    kmodel: Any,  # noqa: ANN401 - upstream has no types
    voices: dict[str, StyleTable],
    sources: Mapping[str, str],
) -> None:
    style = voices.get(PREFERRED, next(iter(voices.values())))
    began = time.monotonic()
    _say("checking the packed model against upstream's, in double precision")
    figures = check_arithmetic(kmodel, style)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fp32.onnx"
        _say("exporting to ONNX")
        export(PackedKokoro(kmodel), file)
        # Strictly, whatever the precision: what 8 bits differ by would hide a mistake of the export.
        _say("checking the file: batches against single sentences, and its sound against torch's")
        figures |= check_batches(file, style, "fp32")
        figures |= check_sound(file, kmodel, style, "fp32")
        if options.precision != "fp32":
            _say(f"converting to {options.precision}, and checking that")
            file, whole = Path(folder) / f"{options.precision}.onnx", file
            if options.precision == "fp16":
                to_fp16(whole, file)
            else:
                to_int8(whole, file, list(voices.values()))
                figures |= check_rounding(whole, file)
            figures |= check_batches(file, style, options.precision)
            figures |= check_sound(file, kmodel, style, options.precision)
        card = {
            "model": "Kokoro-82M",
            "version": version_of(file, voices),
            "precision": options.precision,
            "weights": {"full": "random", "tiny": "tiny", None: "published"}[options.random],
            "sources": sources,
            "versions": {package: importlib.metadata.version(package) for package in _PACKAGES},
            "check": {name: float(f"{figure:.4g}") for name, figure in figures.items()},
        }
        install(file, voices, card, options.repository)
    _say(
        f"installed {len(voices)} voices in {options.repository}, after {time.monotonic() - began:.0f} s: "
        + ", ".join(f"{name} {figure:.2g}" for name, figure in figures.items())
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
