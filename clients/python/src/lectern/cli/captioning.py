"""Where captions go, and in what form."""

import argparse
from pathlib import Path
from typing import Final

from lectern.atomic_file import atomic_file
from lectern.cli.exits import UsageError
from lectern.cli.output import check_place
from lectern.types import CaptionFormat

_BY_SUFFIX: Final[dict[str, CaptionFormat]] = {".srt": "srt", ".vtt": "vtt", ".json": "json"}


def add_captions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--captions", metavar="FILE", help="write captions too: .srt, .vtt, or .json for every word")


def check_captions(options: argparse.Namespace) -> None:
    """Raises UsageError for a file of captions that cannot be written."""
    if options.captions is None:
        return
    caption_format(options.captions)
    path = Path(options.captions)
    check_place(path)
    if options.output and Path(options.output).absolute() == path.absolute():
        raise UsageError(f"the audio and its captions cannot both go to {path}")


def caption_format(name: str) -> CaptionFormat:
    suffix = Path(name).suffix.lower()
    if suffix not in _BY_SUFFIX:
        raise UsageError(f"no form of captions is known by the ending of {name}: use {', '.join(_BY_SUFFIX)}")
    return _BY_SUFFIX[suffix]


def write_captions(name: str, text: str) -> None:
    with atomic_file(Path(name)) as file:
        file.write(text.encode())
