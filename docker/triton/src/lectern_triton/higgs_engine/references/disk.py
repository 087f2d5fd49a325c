"""Encoded references in a folder, which engines may share and anyone may delete. The methods block."""

import contextlib
import hashlib
import logging
import os
import re
import struct
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

import numpy as np

from lectern_triton.higgs_engine.codebooks import CODEBOOKS, Codes

MAGIC: Final = b"LECTERN CODES 1\n"
SUFFIX: Final = ".codes"
UNFINISHED: Final = ".codes.part"
ABANDONED: Final = 3600  # seconds after which an unfinished file is nobody's

_HEAD: Final = struct.Struct(f"<{len(MAGIC)}s32sI")  # magic, SHA-256 of what follows the head, frames
_OURS: Final = re.compile(rf"[0-9a-f]{{64}}{re.escape(SUFFIX)}")

log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Returns the default folder for encoded references. In a container it should be on a volume."""
    base = os.environ.get("LECTERN_ENGINE_CACHE")
    if base is None:
        base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        base = f"{base}/lectern"
    return Path(base).expanduser() / "references"


class DiskCache:
    """Keeps at most `limit` bytes of files; the least recently used go first.

    A file that cannot be read or written costs an encoding and is otherwise ignored. Other files are left alone.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self._lock:
                self._sweep()
        except OSError as error:
            log.warning("references cannot be cached in %s: %s", folder, error)

    def read(self, key: str) -> Codes | None:
        file = self._file(key)
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("%s cannot be read: %s", file, error)
            return None
        codes = _unpacked(content)
        if codes is None:
            log.warning("%s is damaged: it is made again", file)
            return None
        with contextlib.suppress(OSError):  # it has just been deleted, or belongs to another user
            os.utime(file)
        return codes

    def write(self, key: str, codes: Codes) -> None:
        try:
            with tempfile.NamedTemporaryFile(dir=self._folder, suffix=UNFINISHED, delete=False) as part:
                try:
                    part.write(_packed(codes))
                    part.close()
                    Path(part.name).replace(self._file(key))
                except BaseException:
                    Path(part.name).unlink(missing_ok=True)
                    raise
            with self._lock:
                self._sweep()
        except OSError as error:
            log.warning("a reference cannot be cached in %s: %s", self._folder, error)

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}{SUFFIX}"

    def _sweep(self) -> None:
        cached: list[tuple[float, int, str]] = []
        for entry in os.scandir(self._folder):
            with contextlib.suppress(FileNotFoundError):  # another engine deleted it
                if _OURS.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                    state = entry.stat(follow_symlinks=False)
                    cached.append((state.st_mtime, state.st_size, entry.path))
                elif entry.name.endswith(UNFINISHED) and entry.stat().st_mtime < time.time() - ABANDONED:
                    Path(entry.path).unlink()
        total = sum(size for _, size, _ in cached)
        for _, size, path in sorted(cached):
            if total <= self._limit:
                break
            Path(path).unlink(missing_ok=True)
            total -= size


def _packed(codes: Codes) -> bytes:
    body = codes.astype("<i2").tobytes()
    return _HEAD.pack(MAGIC, hashlib.sha256(body).digest(), len(codes)) + body


def _unpacked(content: bytes) -> Codes | None:
    if len(content) < _HEAD.size:
        return None
    magic, digest, frames = _HEAD.unpack_from(content)
    body = content[_HEAD.size :]
    if magic != MAGIC or len(body) != frames * CODEBOOKS * 2 or hashlib.sha256(body).digest() != digest:
        return None
    return np.frombuffer(body, "<i2").reshape(frames, CODEBOOKS).astype(np.int16)
