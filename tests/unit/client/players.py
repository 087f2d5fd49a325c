"""Programs that stand in for a player of audio."""

import shlex
import sys
from pathlib import Path

_WHOLE = """\
import pathlib, sys
pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())
"""
_LEAVING = """\
import pathlib, sys
sys.stdin.buffer.read(1)
sys.stdin.close()
pathlib.Path(sys.argv[1]).touch()
sys.exit(int(sys.argv[2]))
"""


def listening(folder: Path) -> tuple[str, Path]:
    """The command of a player that hears all of it, and where it writes that down."""
    return _program(folder, _WHOLE), folder / "heard"


def leaving(folder: Path, code: int = 0) -> tuple[str, Path]:
    """The command of a player that goes away after the first byte, and the file that is there once it has."""
    return f"{_program(folder, _LEAVING)} {code}", folder / "heard"


def installed(folder: Path, name: str) -> Path:
    """A player under a known name; returns where it writes down its arguments, and behind them all that it hears."""
    program = folder / name
    heard = folder / "heard"
    program.write_text(f'#!/bin/sh\necho "$@" > {heard}\nexec /bin/cat >> {heard}\n')
    program.chmod(0o755)
    return heard


def _program(folder: Path, source: str) -> str:
    script = folder / "player.py"
    script.write_text(source)
    return shlex.join([sys.executable, str(script), str(folder / "heard")])
