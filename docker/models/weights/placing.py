"""Puts files where they are used, whole or not at all."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """Give a place on the same file system, from where what is whole can be moved to `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
        # Readable for whoever runs Triton, unlike the temporary folder itself.
        yield Path(folder) / target.name
    os.sync()


def place_folder(files: Mapping[str, Path], target: Path) -> None:
    """Replace a folder by one with these files, by their paths in it.

    They are hard links where that is possible, so that what was downloaded takes up its room once.
    """
    with beside(target) as fresh:
        fresh.mkdir()
        for name, file in files.items():
            place = fresh / name
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(file, place)
            except OSError:  # another file system, or one without links
                shutil.copyfile(file, place)
            place.chmod(0o644)  # whoever made it may have kept it to themselves
        clear(target)
        fresh.rename(target)


def clear(target: Path) -> None:
    """Remove a folder, a link or a file; nothing may be there."""
    if target.is_symlink() or target.is_file():
        target.unlink()
    elif target.is_dir():
        shutil.rmtree(target)
