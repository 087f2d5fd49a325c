"""What the client's package says of itself, which is published apart from the rest."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "clients" / "python"


def test_it_carries_the_licence_of_the_whole() -> None:
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == whole["license"] == "Apache-2.0"
    assert project["license-files"] == ["LICENSE"]
    assert (PACKAGE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert project["version"] == whole["version"]
