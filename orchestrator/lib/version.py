"""The version, as pyproject.toml has it."""

import tomllib
from pathlib import Path
from typing import Final

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"

VERSION: Final[str] = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]
