"""Replaces files and folders atomically: whoever reads them finds the old or the new ones, never a part."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def staging(target: Path) -> Iterator[Path]:
    """Yields a path on the target's file system, to write to and then to rename to the target."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as folder:
        # Readable for whoever runs Triton, unlike the temporary folder itself.
        yield Path(folder) / target.name
    os.sync()


def replace_folder(files: Mapping[str, Path], target: Path) -> None:
    """Replaces a folder by one with these files, by their paths in it.

    They become hard links where the file system allows it, so that a download takes its space only once.
    """
    with staging(target) as fresh:
        fresh.mkdir()
        for name, file in files.items():
            place = fresh / name
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(file, place)
            except OSError:  # another file system, or one without links
                shutil.copyfile(file, place)
            place.chmod(0o644)  # some libraries write weights that only their owner may read
        remove(target)
        fresh.rename(target)


def remove(target: Path) -> None:
    """Removes a folder, a link or a file, if there is one."""
    if target.is_symlink() or target.is_file():
        target.unlink()
    elif target.is_dir():
        shutil.rmtree(target)
