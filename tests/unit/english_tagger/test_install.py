"""The English tagger from a mirror on this machine, in the form in which its makers publish it."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from english_tagger.__main__ import LOCK, UNREACHABLE, main
from english_tagger.install import FILES, FOLDER
from tests.english_tagger import PATH, write_wheel
from weights.lock_file import read

PUBLISHED = "explosion/spacy-models/releases/download"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the mirror has the wheel."""
    place = tmp_path / "mirror" / PUBLISHED / PATH
    place.parent.mkdir(parents=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "mirror")) as server:
        monkeypatch.setenv("LECTERN_WEIGHTS_MIRROR", f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield place
        server.shutdown()
        thread.join()


def run(tmp_path: Path, wheel: Path | None = None) -> int:
    """Runs the command, with a lock of this wheel instead of the makers' one."""
    arguments = ["--repository", str(tmp_path / "models"), "--work", str(tmp_path / "work")]
    if wheel is not None:
        lock = tmp_path / "lock.toml"
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        lock.write_text(f'source = "https://github.com/{PUBLISHED}"\n[sha256]\n"{PATH}" = "{digest}"\n')
        arguments += ["--lock", str(lock)]
    return main(arguments)


def installed(tmp_path: Path) -> set[str]:
    folder = tmp_path / "models"
    return {path.relative_to(folder / FOLDER).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_lock_names_what_the_makers_publish() -> None:
    (file,) = read(LOCK)
    assert file.url == f"https://github.com/{PUBLISHED}/{PATH}"


def test_the_data_of_the_wheel_is_installed_and_no_code(wheel: Path, tmp_path: Path) -> None:
    write_wheel(wheel)
    assert run(tmp_path, wheel) == 0
    assert installed(tmp_path) == set(FILES)


def test_another_wheel_than_the_locked_one_replaces_nothing(
    wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wheel(wheel)
    assert run(tmp_path, wheel) == 0
    with ZipFile(wheel, "a") as archive:
        archive.writestr("more", b"")
    assert run(tmp_path) == 1  # by the makers' lock
    assert installed(tmp_path) == set(FILES)
    assert "is not the file that the lock names" in capsys.readouterr().err


def test_a_wheel_with_something_else_in_it_replaces_nothing(
    wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ZipFile(wheel, "w") as archive:
        archive.writestr("../../../outside", b"")
        archive.writestr("en_core_web_sm/en_core_web_sm-3.8.0/../../outside", b"")
    assert run(tmp_path, wheel) == 1
    assert not any(path.name == "outside" for path in tmp_path.rglob("*"))
    assert not (tmp_path / "models" / FOLDER).exists()
    assert "is no wheel of en_core_web_sm" in capsys.readouterr().err


def test_without_a_way_to_it_the_rules_are_used_and_it_says_how_to_add_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("LECTERN_WEIGHTS_MIRROR", f"http://127.0.0.1:{closed.getsockname()[1]}")
        assert run(tmp_path) == UNREACHABLE
    said = capsys.readouterr().err
    assert "by rules" in said
    assert "make english-tagger" in said
