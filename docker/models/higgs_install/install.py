"""Puts a fetched checkpoint into the model repository, for the vLLM engine and for the baseline beside it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from weights.placing import beside, clear, place_folder

MODEL: Final = "higgs"
BASELINE: Final = "higgs_baseline"
CARD: Final = "card.json"
LICENCE: Final = "licence.json"
PRESETS: Final = "presets"
PARTS: Final = ("weights", "codec", PRESETS)


def version_of(hashes: Mapping[str, Mapping[str, str]]) -> str:
    """Return what changes whenever the same request may sound different: part of the keys that audio is kept by.

    `hashes`: for each part the SHA-256 of its files; what is only read by people does not count.
    """
    digest = hashlib.sha256()
    for part, files in sorted(hashes.items()):
        for name, sha256 in sorted(files.items()):
            if not name.startswith(("LICENSE", "NOTICE")):
                digest.update(f"{part}/{name} {sha256}\n".encode())
    return digest.hexdigest()[:12]


def install(
    repository: Path,
    parts: Mapping[str, Mapping[str, Path]],
    card: Mapping[str, Any],
    accepted: Sequence[Mapping[str, Any]],
    *,
    baseline: bool,
) -> None:
    """Replace what is installed. `parts`: for each folder its files, by their paths in it. `accepted`: licences.

    The card, which says that there is a model, goes first and comes last. The baseline has links to the same files.
    """
    uninstall(repository)
    for part, files in parts.items():
        place_folder(files, repository / MODEL / part)
    if accepted:
        _write(repository / MODEL / LICENCE, {"accepted": accepted})
    if baseline:
        for part in parts:
            (repository / BASELINE).mkdir(exist_ok=True)
            (repository / BASELINE / part).symlink_to(Path("..", MODEL, part), target_is_directory=True)
        _write(repository / BASELINE / CARD, card)
    _write(repository / MODEL / CARD, card)


def uninstall(repository: Path) -> None:
    for model in (MODEL, BASELINE):
        for name in (CARD, LICENCE, *PARTS):
            clear(repository / model / name)


def _write(target: Path, content: Mapping[str, Any]) -> None:
    with beside(target) as fresh:
        fresh.write_text(json.dumps(content, indent=2) + "\n")
        fresh.replace(target)
