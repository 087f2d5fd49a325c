"""Fetches and installs the English tagger, as `make kokoro` does at its end and `make english-tagger` does alone."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from english_tagger.install import NotATagger, install
from weights.download import Unreachable, WrongContent, fetch
from weights.lock_file import MIRROR_VARIABLE, BadLock, mirror, read

LOCK = Path(__file__).with_name("tagger.lock.toml")
UNREACHABLE = 3  # exit status: Kokoro is complete without it


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    logging.disable(logging.ERROR)  # huggingface_hub's, about attempts that the last of them sums up
    try:
        # No mirror of the hub alone has it: its makers publish it elsewhere.
        (wheel,) = read(options.lock, mirror())
        folder = install(fetch(wheel, options.work), options.repository)
    except (BadLock, NotATagger, Unreachable, WrongContent) as error:
        _say(f"Kokoro tells the readings of English words by rules, as spaCy's tagger is not installed: {error}")
        _say(f"  to add it later: make english-tagger, with {MIRROR_VARIABLE}=https://mirror.example if there is one")
        return UNREACHABLE if isinstance(error, Unreachable) else 1
    _say(f"installed spaCy's English tagger in {folder}: it is used when the models are loaded next")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make english-tagger", description=__doc__)
    parser.add_argument("--repository", type=Path, required=True, help="the model repository to install into")
    parser.add_argument("--work", type=Path, required=True, help="the folder of the download")
    parser.add_argument("--lock", type=Path, default=LOCK, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
