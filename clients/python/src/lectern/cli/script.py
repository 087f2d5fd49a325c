"""A dialogue as a file: lines, or JSON."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from lectern.cli.exits import UsageError
from lectern.voicing import Turn

HELP: Final = """\
A script has a line for each turn, with the voice before it; empty lines are left out:

  af_heart: Who is there?
  bm_george(2)+bm_lewis(1): Only the wind.

Or it is a JSON list of turns, of which only "text" is required ("pause" is seconds of silence before the turn):

  [{"voice": "af_heart", "text": "Who is there?"},
   {"voice": "bm_george", "text": "Only the wind.", "speed": 0.9, "language": "en-GB", "pause": 1.5}]
"""

_LINE: Final = re.compile(r"(\S+?)\s*:\s+(\S.*)")


def turns(script: str, name: str) -> Sequence[Turn]:
    """Raises UsageError."""
    found = _from_json(script, name) if script.lstrip().startswith("[") else _from_lines(script, name)
    if not found:
        raise UsageError(f"{name} holds no turn to speak")
    return found


def _from_lines(script: str, name: str) -> list[Turn]:
    found = []
    for number, line in enumerate(script.splitlines(), 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise UsageError(f"{name}, line {number}: a turn is written as `voice: text`")
        found.append(Turn(match[2], match[1]))
    return found


def _from_json(script: str, name: str) -> list[Turn]:
    try:
        return msgspec.json.decode(script, type=list[Turn])
    except msgspec.DecodeError as error:
        raise UsageError(f"{name} is no list of turns: {error}") from error
