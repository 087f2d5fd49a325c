"""`lectern captions`, and the option `--captions` of the commands that speak."""

import argparse
from pathlib import Path
from typing import Final, get_args

from lectern.atomic_file import atomic_file
from lectern.cli.errors import OK, UsageError
from lectern.cli.options import Commands, add_command, add_text_options, add_voicing, read_text, server_url, voicing
from lectern.cli.output import STDOUT, check_path, report
from lectern.rest.sync import Client
from lectern.types import CaptionFormat

_BY_SUFFIX: Final[dict[str, CaptionFormat]] = {".srt": "srt", ".vtt": "vtt", ".json": "json"}


def add(commands: Commands) -> None:
    parser = add_command(commands, "captions", "write the captions of a text that is spoken")
    parser.add_argument("file", metavar="FILE", help="the text; - for stdin")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="where they go; - for stdout")
    parser.add_argument("--format", choices=get_args(CaptionFormat), help="else the file's ending decides, else srt")
    add_voicing(parser)
    add_text_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    to_stdout = options.output == STDOUT
    if to_stdout and options.json:
        raise UsageError("--json and the captions cannot both go to stdout: name a file with -o")
    if not to_stdout:
        check_path(Path(options.output))
    form: CaptionFormat = options.format or ("srt" if to_stdout else caption_format(options.output))
    text = read_text(options.file)
    with Client(server_url(options)) as client:
        captions = client.captions(text, voicing(options), caption_format=form)
    if to_stdout:
        print(captions, end="")
        return OK
    write_captions(options.output, captions)
    facts = {"file": options.output, "format": form, "bytes": len(captions.encode())}
    report(options, facts, f"{len(captions.splitlines())} lines of {form}")
    return OK


def add_captions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--captions", metavar="FILE", help="write captions too: .srt, .vtt, or .json for every word")


def check_captions(options: argparse.Namespace) -> None:
    """Raises UsageError for a `--captions` that cannot be written."""
    if options.captions is None:
        return
    caption_format(options.captions)
    path = Path(options.captions)
    check_path(path)
    if options.output and Path(options.output).absolute() == path.absolute():
        raise UsageError(f"the audio and its captions cannot both go to {path}")


def caption_format(name: str) -> CaptionFormat:
    """Returns the format that a file's ending names. Raises UsageError."""
    suffix = Path(name).suffix.lower()
    if suffix not in _BY_SUFFIX:
        raise UsageError(f"no form of captions is known by the ending of {name}: use {', '.join(_BY_SUFFIX)}")
    return _BY_SUFFIX[suffix]


def write_captions(name: str, text: str) -> None:
    with atomic_file(Path(name)) as file:
        file.write(text.encode())
