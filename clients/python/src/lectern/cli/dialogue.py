"""`lectern dialogue`: the turns of several voices into one file, or into a player."""

import argparse
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from lectern.cli.captions import add_captions
from lectern.cli.errors import OK, UsageError
from lectern.cli.options import Commands, add_command, add_text_options, add_voicing, read_text
from lectern.cli.output import add_output
from lectern.cli.speak import add_audio_options, speak
from lectern.voicing import Turn

_HELP: Final = """\
A dialogue has a line for each turn, with the voice before it; empty lines are left out:

  af_heart: Who is there?
  bm_george(2)+bm_lewis(1): Only the wind.

Or it is a JSON list of turns, of which only "text" is required ("pause" is seconds of silence before the turn):

  [{"voice": "af_heart", "text": "Who is there?"},
   {"voice": "bm_george", "text": "Only the wind.", "speed": 0.9, "language": "en-GB", "pause": 1.5}]
"""

_LINE: Final = re.compile(r"(\S+?)\s*:\s+(\S.*)")


def add(commands: Commands) -> None:
    parser = add_command(commands, "dialogue", "speak a dialogue for several voices", details=_HELP)
    parser.add_argument("file", metavar="FILE", help="the dialogue; - for stdin")
    add_output(parser, play=True)
    add_captions(parser)
    add_voicing(parser)
    add_text_options(parser)
    add_audio_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    speak(options, turns(read_text(options.file), options.file))
    return OK


def turns(dialogue: str, name: str) -> Sequence[Turn]:
    """Returns the turns of the dialogue in the file `name`. Raises UsageError."""
    found = _from_json(dialogue, name) if dialogue.lstrip().startswith("[") else _from_lines(dialogue, name)
    if not found:
        raise UsageError(f"{name} holds no turn to speak")
    return found


def _from_lines(dialogue: str, name: str) -> list[Turn]:
    found = []
    for number, line in enumerate(dialogue.splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise UsageError(f"{name}, line {number}: a turn is written as `voice: text`")
        found.append(Turn(match[2], match[1]))
    return found


def _from_json(dialogue: str, name: str) -> list[Turn]:
    try:
        return msgspec.json.decode(dialogue, type=list[Turn])
    except msgspec.DecodeError as error:
        raise UsageError(f"{name} is no list of turns: {error}") from error
