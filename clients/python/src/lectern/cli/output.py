"""Where the audio goes, and in what form."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, get_args

import msgspec

from lectern.atomic_file import atomic_file
from lectern.cli import player
from lectern.cli.exits import UsageError
from lectern.types import AudioFormat

FORMATS: Final[tuple[AudioFormat, ...]] = get_args(AudioFormat)
_BY_SUFFIX: Final[dict[str, AudioFormat]] = {".ogg": "opus", ".raw": "pcm", **{f".{name}": name for name in FORMATS}}
STDOUT: Final = "-"


class Sink(Protocol):
    def write(self, data: bytes, /) -> int: ...


def add_output(parser: argparse.ArgumentParser, *, play: bool = False) -> None:
    """`play` is for commands whose audio comes while it is made."""
    places: Any = parser.add_mutually_exclusive_group(required=True) if play else parser
    places.add_argument("-o", "--output", required=not play, metavar="FILE", help="where the audio goes; - for stdout")
    parser.add_argument("--format", choices=FORMATS, help="else the file's ending decides, else opus")
    parser.set_defaults(play=False, player=None)
    if play:
        places.add_argument("--play", action="store_true", help="play it while it comes: ffplay, mpv, paplay or aplay")
        parser.add_argument(
            "--player", metavar="CMD", help='another player, which reads WAV: --play --player "sox - -d"'
        )


def chosen_format(options: argparse.Namespace) -> AudioFormat:
    """Raises UsageError."""
    if options.format:
        chosen: AudioFormat = options.format
        return chosen
    if options.play:
        return "wav" if options.player else player.found(None).audio_format
    suffix = Path(options.output).suffix.lower()
    if options.output == STDOUT or not suffix:
        return "opus"
    if suffix not in _BY_SUFFIX:
        raise UsageError(f"no format is known by the ending {suffix}: use {', '.join(_BY_SUFFIX)}, or --format")
    return _BY_SUFFIX[suffix]


def check_output(options: argparse.Namespace) -> None:
    """Raises UsageError for a place where no audio can go."""
    if options.player and not options.play:
        raise UsageError("--player is for --play")
    if options.play:
        return
    if options.output == STDOUT:
        if options.json:
            raise UsageError("--json and the audio cannot both go to stdout: name a file with -o")
        if sys.stdout.isatty():
            raise UsageError("audio would garble the terminal: name a file with -o, or send stdout to a pipe")
    else:
        check_place(Path(options.output))


def check_place(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}: make it first")


@contextmanager
def opened(options: argparse.Namespace, *, rate: int = 0) -> Iterator[Sink]:
    """The player, or the output file, which takes its name only when the block ends well. Raises UsageError.

    `rate` is in Hz, for a player of samples without a header. When the player goes away the block ends, and that is
    no error.
    """
    check_output(options)
    if options.play:
        command = player.named(options.player) if options.player else player.found(chosen_format(options)).command
        with player.Player(command, rate) as playing:
            yield playing
    elif options.output == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with atomic_file(Path(options.output)) as file:
            yield file


def report(options: argparse.Namespace, facts: dict[str, Any], line: str) -> None:
    """Says what was done: to machines as JSON, to people as a line that never mixes with the audio."""
    if options.json:
        print_json(facts)
    else:
        print(f"{options.output or 'played'}: {line}", file=sys.stderr if options.output == STDOUT else sys.stdout)


def print_json(value: object) -> None:
    print(msgspec.json.encode(value).decode())
