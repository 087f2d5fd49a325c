"""`lectern dialogue`: a script for several voices into one file, or into a player."""

import argparse

from lectern.cli.captioning import add_captions
from lectern.cli.exits import OK
from lectern.cli.options import Commands, add_command, add_manner, add_voicing, text_from
from lectern.cli.output import add_output
from lectern.cli.script import HELP, turns
from lectern.cli.speaking import add_sound, speak


def add(commands: Commands) -> None:
    parser = add_command(commands, "dialogue", "speak a script for several voices", details=HELP)
    parser.add_argument("file", metavar="FILE", help="the script; - for stdin")
    add_output(parser, play=True)
    add_captions(parser)
    add_voicing(parser)
    add_manner(parser)
    add_sound(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    speak(options, turns(text_from(options.file), options.file))
    return OK
