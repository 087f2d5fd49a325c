"""Where the audio goes: a file, stdout or a player; in what format; and the report of it."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol, get_args

import msgspec

from lectern.atomic_file import atomic_file
from lectern.cli import player
from lectern.cli.errors import UsageError
from lectern.types import AudioFormat

FORMATS: Final[tuple[AudioFormat, ...]] = get_args(AudioFormat)
_BY_SUFFIX: Final[dict[str, AudioFormat]] = {".ogg": "opus", ".raw": "pcm", **{f".{name}": name for name in FORMATS}}
STDOUT: Final = "-"


class Sink(Protocol):
    def write(self, data: bytes, /) -> int: ...


def add_output(parser: argparse.ArgumentParser, *, play: bool = False) -> None:
    """Adds `--output` and `--format`; with `play`, also `--play` for audio that comes while it is made."""
    places: Any = parser.add_mutually_exclusive_group(required=True) if play else parser
    places.add_argument("-o", "--output", required=not play, metavar="FILE", help="where the audio goes; - for stdout")
    parser.add_argument("--format", choices=FORMATS, help="else the file's ending decides, else opus")
    parser.set_defaults(play=False, player=None)
    if play:
        places.add_argument("--play", action="store_true", help="play it while it comes: ffplay, mpv, paplay or aplay")
        parser.add_argument(
            "--player", metavar="CMD", help='another player, which reads WAV: --play --player "sox - -d"'
        )


def audio_format(options: argparse.Namespace) -> AudioFormat:
    """Returns `--format`, else what the player or the file's ending asks for. Raises UsageError."""
    if options.format:
        chosen: AudioFormat = options.format
        return chosen
    if options.play:
        return "wav" if options.player else player.find_player(None).audio_format
    suffix = Path(options.output).suffix.lower()
    if options.output == STDOUT or not suffix:
        return "opus"
    if suffix not in _BY_SUFFIX:
        raise UsageError(f"no format is known by the ending {suffix}: use {', '.join(_BY_SUFFIX)}, or --format")
    return _BY_SUFFIX[suffix]


def check_output(options: argparse.Namespace) -> None:
    """Raises UsageError for an output that cannot be written."""
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
        check_path(Path(options.output))


def check_path(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}: make it first")


@contextmanager
def open_output(options: argparse.Namespace, *, rate: int = 0) -> Iterator[Sink]:
    """Opens the player or the output file. The file takes its name only if the block ends without an error.

    `rate` is in Hz, for a player of samples without a header. The block also ends, without an error, when the player
    goes away. Raises UsageError.
    """
    check_output(options)
    if options.play:
        command = (
            player.arguments(options.player) if options.player else player.find_player(audio_format(options)).command
        )
        with player.Player(command, rate) as playing:
            yield playing
    elif options.output == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with atomic_file(Path(options.output)) as file:
            yield file


def report(options: argparse.Namespace, facts: dict[str, Any], line: str) -> None:
    """Prints what was done, as JSON or as a line; the line never mixes with the audio."""
    if options.json:
        print_json(facts)
    else:
        print(f"{options.output or 'played'}: {line}", file=sys.stderr if options.output == STDOUT else sys.stdout)


def report_speech(options: argparse.Namespace, facts: dict[str, Any], line: str, *, complete: bool) -> None:
    """Reports the audio and its captions. `complete` is false if the player went away before the end."""
    facts["captions"] = options.captions if complete else None
    if options.play:
        facts["heard_out"] = complete
    if options.captions and complete:
        line += f", captions in {options.captions}"
    report(options, facts, line if complete else f"{line}, then the player went away")


def print_json(value: object) -> None:
    print(msgspec.json.encode(value).decode())
