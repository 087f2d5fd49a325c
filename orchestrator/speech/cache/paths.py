"""Where in the store the objects of a segment lie."""

import re
from typing import Final

ABOUT: Final = "json"  # what is told of is there: written last, deleted first
FOLDER: Final = "segments"
_PATH: Final = re.compile(rf"{FOLDER}/[0-9a-f]{{2}}/[0-9a-f]{{2}}/([0-9a-f]{{64}})\.([0-9a-z.]+)")


def path_of(key: str, suffix: str) -> str:
    """Two levels of folders, so that none holds more than a small part of a million files."""
    return f"{FOLDER}/{key[:2]}/{key[2:4]}/{key}.{suffix}"


def parse_path(path: str) -> tuple[str, str] | None:
    """A segment's key and a suffix; None for what is no object of a segment."""
    found = _PATH.fullmatch(path)
    return None if found is None else (found[1], found[2])
