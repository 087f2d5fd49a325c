"""The address and the key of the stack that runs on this machine, from the files in its home."""

import os
from pathlib import Path
from typing import Final

import msgspec

from lectern.errors import LecternError

HOME_VARIABLE: Final = "LECTERN_HOME"
STACK_FILE: Final = "stack.json"  # written by the running stack
KEY_FILE: Final = "api-key"  # the key of the local account, readable by its owner only


class Stack(msgspec.Struct, frozen=True):
    """The fields of `stack.json` that a client needs."""

    url: str


def home() -> Path:
    """Returns the folder of all state: LECTERN_HOME, else /var/lib/lectern for root, else the user's data folder."""
    if chosen := os.environ.get(HOME_VARIABLE):
        return Path(chosen).expanduser().absolute()
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/lectern")
    data = Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser()
    if not data.is_absolute():  # the XDG specification says to ignore such a value
        data = Path("~/.local/share").expanduser()
    return data / "lectern"


def running_url() -> str | None:
    """Returns the address of the stack that runs from `home`, or last did. Raises LecternError for a damaged file."""
    path = home() / STACK_FILE
    content = _read(path)
    if content is None:
        return None
    try:
        return msgspec.json.decode(content, type=Stack).url
    except msgspec.DecodeError as error:
        raise LecternError(f"{path} is damaged ({error}): restart the stack, or name its address by --url") from error


def api_key() -> str | None:
    """Returns the key of the local account. Raises LecternError if the file may not be read."""
    content = _read(home() / KEY_FILE)
    return None if content is None else content.decode(errors="replace").strip()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise LecternError(f"cannot read {path}: {error.strerror}") from error
