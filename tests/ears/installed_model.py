"""Kokoro with its real weights, installed by `make kokoro`'s own way, and kept between runs in .cache/ears/models.

    PYTHONPATH=.:docker/models .venvs/ears/bin/python -m tests.ears.installed_model [fp32|fp16|int8]

It prints the folder, which has what `make kokoro` installs into a model repository: kokoro/{card.json,voices} and
kokoro_acoustic/1/model.onnx. A change of the export, of the recovery of the weights or of a lock makes it anew.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.ears.weight_packages import site_packages
from tests.kokoro import link_models

ROOT: Final = Path(__file__).parents[2]
KEPT: Final = ROOT / ".cache" / "ears" / "models"
WORK: Final = ROOT / ".cache" / "ears" / "kokoro"  # of downloads, and of the export that other precisions are made of
TORCH_PYTHON: Final = ROOT / ".venvs" / "export" / "bin" / "python"
SOURCES: Final = (
    "docker/models/kokoro_export",
    "docker/models/weights",
    "docker/locks/ears.txt",
    "docker/locks/export.txt",
)
RECOVERY: Final = ("weight_packages.py", "eight_bit_graph.py", "checkpoint.py")
PUBLISHED: Final = "owner/kokoro/resolve/recovered"
INSTALLED: Final = ("kokoro/card.json", "kokoro/voices", "kokoro_acoustic/1/model.onnx")


def installed_model(precision: str = "fp32") -> Path:
    """Returns the folder of the model, which is made if it is not there. Raises CalledProcessError if it is refused."""
    folder = KEPT / f"{precision}-{_version_of_sources()}"
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run may be at it
        if not (folder / INSTALLED[0]).exists():
            _make(folder, precision)
            for other in set(KEPT.glob(f"{precision}-*")) - {folder}:
                shutil.rmtree(other)
    return folder


def lay_out(repository: Path, precision: str = "fp32") -> Path:
    """Links every model of the checkout, and the installed Kokoro in place of the checkout's, into a new repository."""
    link_models(repository)
    installed = installed_model(precision)
    (repository / "kokoro_acoustic" / "1").mkdir(exist_ok=True)
    for path in INSTALLED:
        (repository / path).symlink_to(installed / path)
    return repository


def _version_of_sources() -> str:
    """Returns a hash of all that the model depends on."""
    digest = hashlib.sha256()
    paths = [ROOT / path for path in SOURCES] + [Path(__file__).with_name(name) for name in RECOVERY]
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    for file in files:
        if file.is_file() and file.suffix != ".pyc":
            digest.update(f"{file.relative_to(ROOT)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _make(folder: Path, precision: str) -> None:
    with TemporaryDirectory(dir=KEPT) as temporary:
        made = Path(temporary)
        published = made / "hub" / PUBLISHED
        _run("tests.ears.checkpoint", site_packages(), published)
        lock = made / "weights.lock.toml"
        lock.write_text(_lock_of(published))
        with _served(made / "hub") as mirror:
            _run(
                *("kokoro_export", "--lock", lock, "--precision", precision),
                *("--repository", made / "repository", "--work", WORK),
                LECTERN_WEIGHTS_MIRROR=mirror,
            )
        (made / "repository").rename(folder)


def _run(module: str, *arguments: str | Path, **variables: str) -> None:
    """Runs a module where torch is."""
    environment = {**os.environ, **variables, "PYTHONPATH": f"{ROOT}:{ROOT / 'docker' / 'models'}"}
    subprocess.run([TORCH_PYTHON, "-W", "ignore", "-m", module, *arguments], cwd=ROOT, env=environment, check=True)


def _lock_of(published: Path) -> str:
    files = sorted(path for path in published.rglob("*") if path.is_file())
    hashes = {path.relative_to(published): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    lines = (f'"{name}" = "{digest}"' for name, digest in hashes.items())
    return "\n".join((f'source = "https://hub.example/{PUBLISHED}"', "[sha256]", *lines, ""))


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """Serves the folder as a mirror of the hub, and yields its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    print(installed_model(*sys.argv[1:2]))  # noqa: T201 - for whoever wants to use it
