"""`lectern captions`: when each word of a text is spoken, as a file of captions."""

import argparse
from pathlib import Path
from typing import get_args

from lectern.cli.captioning import caption_format, write_captions
from lectern.cli.exits import OK, UsageError
from lectern.cli.options import Commands, add_command, add_manner, add_voicing, server_url, text_from, voicing
from lectern.cli.output import STDOUT, check_place, report
from lectern.types import CaptionFormat


def add(commands: Commands) -> None:
    parser = add_command(commands, "captions", "write the captions of a text that is spoken")
    parser.add_argument("file", metavar="FILE", help="the text; - for stdin")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="where they go; - for stdout")
    parser.add_argument("--format", choices=get_args(CaptionFormat), help="else the file's ending decides, else srt")
    add_voicing(parser)
    add_manner(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from lectern.rest.sync import Client  # noqa: PLC0415 - slow to import, and --help needs none of it

    to_stdout = options.output == STDOUT
    if to_stdout and options.json:
        raise UsageError("--json and the captions cannot both go to stdout: name a file with -o")
    if not to_stdout:
        check_place(Path(options.output))
    form: CaptionFormat = options.format or ("srt" if to_stdout else caption_format(options.output))
    text = text_from(options.file)
    with Client(server_url(options)) as client:
        captions = client.captions(text, voicing(options), caption_format=form)
    if to_stdout:
        print(captions, end="")
        return OK
    write_captions(options.output, captions)
    facts = {"file": options.output, "format": form, "bytes": len(captions.encode())}
    report(options, facts, f"{len(captions.splitlines())} lines of {form}")
    return OK
