"""Where the audio goes, and in what form."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, get_args

import msgspec

from lectern.cli.exits import UsageError
from lectern.files import whole_file
from lectern.types import AudioFormat

FORMATS: Final[tuple[AudioFormat, ...]] = get_args(AudioFormat)
_BY_SUFFIX: Final[dict[str, AudioFormat]] = {".ogg": "opus", ".raw": "pcm", **{f".{name}": name for name in FORMATS}}
STDOUT: Final = "-"


def add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="where the audio goes; - for stdout")
    parser.add_argument("--format", choices=FORMATS, help="else the file's ending decides, else opus")


def chosen_format(options: argparse.Namespace) -> AudioFormat:
    if options.format:
        chosen: AudioFormat = options.format
        return chosen
    suffix = Path(options.output).suffix.lower()
    if options.output == STDOUT or not suffix:
        return "opus"
    if suffix not in _BY_SUFFIX:
        raise UsageError(f"no format is known by the ending {suffix}: use {', '.join(_BY_SUFFIX)}, or --format")
    return _BY_SUFFIX[suffix]


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[BinaryIO]:
    """The output file, which takes its name only when the block ends well. Raises UsageError."""
    if options.output == STDOUT:
        if options.json:
            raise UsageError("--json and the audio cannot both go to stdout: name a file with -o")
        if sys.stdout.isatty():
            raise UsageError("audio would garble the terminal: name a file with -o, or send stdout to a pipe")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(options.output)
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}: make it first")
    with whole_file(path) as file:
        yield file


def report(options: argparse.Namespace, facts: dict[str, Any], line: str) -> None:
    """Says what was done: to machines as JSON, to people as a line that never mixes with the audio."""
    if options.json:
        print_json(facts)
    else:
        print(line, file=sys.stderr if options.output == STDOUT else sys.stdout)


def print_json(value: object) -> None:
    print(msgspec.json.encode(value).decode())
