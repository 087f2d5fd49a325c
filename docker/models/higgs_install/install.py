"""Installs a checkpoint into the model repository, for the vLLM engine and for the baseline on transformers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from weights.atomic import remove, replace_folder, staging

MODEL: Final = "higgs"
BASELINE: Final = "higgs_baseline"
CARD: Final = "card.json"
LICENCE: Final = "licence.json"
PRESETS: Final = "presets"
PARTS: Final = ("weights", "codec", PRESETS)


def version_of(hashes: Mapping[str, Mapping[str, str]]) -> str:
    """Returns a version that changes whenever the same request may sound different: the keys of cached audio have it.

    `hashes`: the SHA-256 of each part's files. Those that only people read do not count.
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
    """Replaces what is installed. `parts`: the files of each folder, by their paths in it. `accepted`: licences.

    The card, which says that there is a model, is removed first and written last. The baseline links to the same files.
    """
    uninstall(repository)
    for part, files in parts.items():
        replace_folder(files, repository / MODEL / part)
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
            remove(repository / model / name)


def _write(target: Path, content: Mapping[str, Any]) -> None:
    with staging(target) as fresh:
        fresh.write_text(json.dumps(content, indent=2) + "\n")
        fresh.replace(target)
