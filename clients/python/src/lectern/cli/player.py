"""Players: programs on this machine that play audio from standard input as it comes."""

import shlex
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from lectern.cli.errors import UsageError
from lectern.errors import LecternError
from lectern.types import AudioFormat

_EXIT_SECONDS: Final = 5.0  # for a player that has closed its input, or was terminated


class PlayerEnded(Exception):  # noqa: N818 - what happened, and no fault
    """The player ended before the audio did."""


@dataclass(frozen=True, slots=True)
class Program:
    command: tuple[str, ...]  # "{rate}" stands for the sample rate in Hz
    raw: bool = False  # plays samples without a header, and nothing else

    @property
    def audio_format(self) -> AudioFormat:
        return "pcm" if self.raw else "opus"

    def plays(self, audio_format: AudioFormat | None) -> bool:
        return audio_format is None or (audio_format == "pcm") == self.raw


_KNOWN: Final = (
    Program(("ffplay", "-hide_banner", "-loglevel", "error", "-nodisp", "-autoexit", "-i", "-")),
    Program(("mpv", "--no-video", "--really-quiet", "-")),
    Program(("paplay", "--raw", "--format=s16le", "--channels=1", "--rate={rate}"), raw=True),
    Program(("aplay", "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", "{rate}", "-"), raw=True),
)


def arguments(command: str) -> Sequence[str]:
    """Splits the command line of `--player`. Raises UsageError."""
    try:
        parts = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--player {command!r}: {error}") from error
    if not parts:
        raise UsageError("--player names no program")
    return parts


def find_player(audio_format: AudioFormat | None) -> Program:
    """Returns the first known player on this machine that plays the format. Raises UsageError."""
    for program in _KNOWN:
        if program.plays(audio_format) and shutil.which(program.command[0]):
            return program
    names = ", ".join(program.command[0] for program in _KNOWN if program.plays(audio_format))
    raise UsageError(f"no player was found: install one of {names}, or name yours by --player")


class Player:
    """A running player. Its block ends when all has been heard; a player that ends earlier is no error."""

    def __init__(self, arguments: Sequence[str], rate: int) -> None:
        arguments = [argument.replace("{rate}", str(rate)) for argument in arguments]
        self._name = Path(arguments[0]).name
        try:
            self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)  # noqa: S603
        except OSError as error:
            raise UsageError(f"cannot start the player {arguments[0]}: {error.strerror}") from error

    def write(self, data: bytes) -> int:
        """Raises PlayerEnded."""
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise PlayerEnded from None
        return len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        left = isinstance(error, PlayerEnded)
        try:
            if error is None or left:  # else what it still holds is not to be heard
                self._close_input()
                self._process.wait(_EXIT_SECONDS if left else None)
        except subprocess.TimeoutExpired:
            pass  # it is ended below
        finally:
            self._end()
        if (error is None or left) and self._process.returncode:
            raise LecternError(f"the player {self._name} ended with exit code {self._process.returncode}")
        return left

    def _close_input(self) -> None:
        with suppress(BrokenPipeError):  # what it has not taken, nobody will hear
            if self._process.stdin is not None:
                self._process.stdin.close()

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_EXIT_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._close_input()
