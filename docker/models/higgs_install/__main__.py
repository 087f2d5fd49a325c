"""`make higgs` and `make higgs-lock`: downloads a checkpoint of Higgs Audio by lock files, and installs it."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from higgs_install.checkpoint import NotWeights
from higgs_install.families import FAMILIES, Family
from higgs_install.install import PRESETS, install, version_of
from higgs_install.licences import Acceptance, NotAccepted, accept
from higgs_install.presets import BUZZ, check_recording, read_presets, write_buzz
from higgs_install.presets import PRESETS as PRESETS_FILE
from weights.download import Unreachable, WrongContent, fetch, hub_token, sha256_of
from weights.hub_lock import HubLock, NotLocked
from weights.lock_file import MIRROR_VARIABLE, BadLock, hub_mirror, mirror

HERE: Final = Path(__file__).parent
REFUSED, UNREACHABLE, NOT_ACCEPTED = 1, 3, 4  # exit statuses
RANDOM_FOLDERS: Final = {"weights": "model", "codec": "codec"}  # parts of a family -> folders of random weights


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    family = FAMILIES[options.family]
    try:
        if options.do == "lock":
            _lock(family, options)
        elif options.random:
            _install_random(family, options)
        else:
            _install(family, options)
    except Unreachable as error:
        _say(f"{family.title} cannot be fetched: {error}")
        _say("Lectern speaks without it. With a mirror of the hub, or once there is a way to it:")
        _say(f"  {MIRROR_VARIABLE}=https://mirror.example make higgs FAMILY={family.name}")
        return UNREACHABLE
    except NotAccepted as error:
        _say(f"\n{family.title} is not installed: its licences were not accepted. {error}")
        return NOT_ACCEPTED
    except NotLocked as error:
        _say(f"{family.title} is not installed: {error}, and what is not locked is not fetched.")
        _say("Make the lock once, where there is a way to the hub, then look at it and commit it:")
        _say(f"  make higgs-lock FAMILY={family.name}")
        return REFUSED
    except (BadLock, NotWeights, WrongContent) as error:
        _say(f"{family.title} is not installed: {error}")
        return REFUSED
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="higgs_install", description=__doc__)
    parser.add_argument("do", choices=("install", "lock"))
    parser.add_argument("--family", choices=tuple(FAMILIES), default="v2")
    parser.add_argument("--repository", type=Path, default=Path("model_repository"), help="to install into")
    parser.add_argument("--work", type=Path, default=Path(".cache/higgs"), help="the folder of downloads")
    parser.add_argument("--locks", type=Path, default=HERE, help="the folder of the lock files")
    parser.add_argument("--presets", type=Path, default=PRESETS_FILE, help="the file that describes the preset voices")
    parser.add_argument("--random", type=Path, help="install the random weights in this folder, and download nothing")
    return parser.parse_args(arguments)


def _lock(family: Family, options: argparse.Namespace) -> None:
    for part in family.parts.values():
        lock = HubLock.of(options.locks / part.lock, hub_mirror())
        hashes = lock.update(hub_token())
        _say(f"{lock.file}: {len(hashes)} files of {lock.repository} at {HubLock.of(lock.file).revision}")
        for file, digest in hashes.items():
            note = "as others report it" if file in lock.reported else ""
            _say(f"  {digest}  {file}  {note}".rstrip())
    _say("Look at the difference and commit it; then:  make higgs")


def _install(family: Family, options: argparse.Namespace) -> None:
    locks = {name: HubLock.of(options.locks / part.lock, hub_mirror()) for name, part in family.parts.items()}
    wanted = {part: lock.files() for part, lock in locks.items()}
    presets, default = read_presets(options.presets, mirror())
    accepted = _accepted(family)
    began = time.monotonic()
    # Named after the lock, not the family: both families have the same codec.
    folders = {name: options.work / part.lock.partition(".")[0] for name, part in family.parts.items()}
    parts = {}
    for name, files in wanted.items():
        parts[name] = {file.name: fetch(file, folders[name], token=hub_token()) for file in files}
    recordings = {one.name: fetch(one.recording, options.work / PRESETS) for one in presets}
    _say("checking the checkpoint")
    sizes = {name: part.check(folders[name]) for name, part in family.parts.items()}
    for recording in recordings.values():
        check_recording(recording)
    hashes = {part: {file.name: file.sha256 for file in files} for part, files in wanted.items()}
    hashes[PRESETS] = {one.recording.name: one.recording.sha256 for one in presets}
    sources = {part: {"repository": lock.repository, "revision": lock.revision} for part, lock in locks.items()}
    card = _card(family, "published", hashes, sizes) | {
        "default_preset": default,
        "presets": [one.name for one in presets],
        "sources": sources,
    }
    with tempfile.TemporaryDirectory() as written:
        parts[PRESETS] = {}
        for one in presets:
            about = Path(written, f"{one.name}.toml")
            about.write_text(one.voice_toml())
            parts[PRESETS] |= {one.recording.name: recordings[one.name], f"{one.name}/voice.toml": about}
        records = [one.record(parts[part].get("LICENSE")) for part, one in accepted.items()]
        install(options.repository, parts, card, records, baseline=family.baseline)
    _say(f"{_installed(card, options.repository)}, after {time.monotonic() - began:.0f} s")


def _install_random(family: Family, options: argparse.Namespace) -> None:
    """Installs random weights, which need no licence. Their preset voice is a buzz."""
    with tempfile.TemporaryDirectory() as written:
        folders = {part: options.random / RANDOM_FOLDERS[part] for part in family.parts}
        parts = {
            part: {file.name: file for file in sorted(folder.iterdir()) if file.is_file()}
            for part, folder in folders.items()
        }
        sizes = {name: part.check(folders[name]) for name, part in family.parts.items()}
        parts[PRESETS] = write_buzz(Path(written))
        hashes = {part: {name: sha256_of(file) for name, file in files.items()} for part, files in parts.items()}
        card = _card(family, "random", hashes, sizes) | {"default_preset": BUZZ, "presets": [BUZZ]}
        install(options.repository, parts, card, [], baseline=family.baseline)
    _say(f"{_installed(card, options.repository)}; these weights are random, and babble")


def _card(
    family: Family, weights: str, hashes: dict[str, dict[str, str]], sizes: dict[str, dict[str, int]]
) -> dict[str, Any]:
    return {
        "model": family.title,
        "family": family.name,
        "version": version_of(hashes),
        "weights": weights,
        "licences": [one.name for one in family.licences.values()] if weights == "published" else [],
        "sha256": hashes,
        "check": sizes,
    }


def _installed(card: dict[str, Any], repository: Path) -> str:
    sizes = (f"{part} of {size['parameters'] / 1e6:,.0f} million parameters" for part, size in card["check"].items())
    voices = ", ".join(card["presets"])
    return f"installed {card['model']} ({card['version']}) in {repository}: {', '.join(sizes)}; voices {voices}"


def _accepted(family: Family) -> dict[str, Acceptance]:
    """Shows the licences, and returns an acceptance of each, by the first folder that is under it."""
    for licence in family.licences.values():
        _say(f"{licence.shown()}\n")
    accepted = accept(list(family.licences.values()), os.environ, input if sys.stdin.isatty() else None)
    _say(f"accepted: {', '.join(one.licence.name for one in accepted)}\n")
    return dict(zip(family.licences, accepted, strict=True))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
