"""Downloads from a real HTTP server on this machine that breaks off, knows no ranges, or is not there."""

import hashlib
import os
import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from weights.download import DownloadProgress, Unreachable, WrongContent, fetch
from weights.lock_file import BadLock, LockedFile, read

CONTENT = bytes(range(256)) * 4_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
CHUNK = 100_000  # bytes that are written at a time


class Hub(ThreadingHTTPServer):
    """`cuts` has the lengths after which the next answers break off, and `resets` how many of them by a reset."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.cuts: list[int] = []
        self.resets = 0
        self.ranges = True
        self.status = 0
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        hub = self.server
        wanted = self.headers.get("Range", "")
        hub.asked.append(wanted)
        partial = hub.ranges and wanted
        first = int(wanted.removeprefix("bytes=").rstrip("-")) if partial else 0
        if hub.status or first >= len(CONTENT):
            self.send_error(hub.status or 416)
            return
        self.send_response(206 if partial else 200)
        body = CONTENT[first:]
        self.send_header("Content-Length", str(len(body)))
        if partial:
            self.send_header("Content-Range", f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.end_headers()
        self.wfile.write(body[: hub.cuts.pop(0)] if hub.cuts else body)
        self.close_connection = True
        if hub.resets:
            hub.resets -= 1
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small chunks, and no pauses between attempts."""
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", CHUNK)
    monkeypatch.setattr("time.sleep", lambda _: None)


def get(hub: Hub, folder: Path, sha256: str = SHA256) -> Path:
    return fetch(LockedFile("deep/file.bin", f"{hub.url}/file.bin", sha256), folder)


def test_a_file_comes_whole(hub: Hub, tmp_path: Path) -> None:
    assert get(hub, tmp_path) == tmp_path / "deep" / "file.bin"
    assert (tmp_path / "deep" / "file.bin").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["file.bin"]


def test_what_is_there_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    get(hub, tmp_path)
    get(hub, tmp_path)
    assert len(hub.asked) == 1


def test_a_damaged_file_is_fetched_again(hub: Hub, tmp_path: Path) -> None:
    get(hub, tmp_path).write_bytes(b"damage")
    assert get(hub, tmp_path).read_bytes() == CONTENT


def test_it_goes_on_where_it_broke_off(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [300_000, 200_000]
    assert get(hub, tmp_path).read_bytes() == CONTENT
    assert hub.asked == ["", "bytes=300000-", "bytes=500000-"]


@pytest.mark.parametrize("resets", [1, 3])
def test_it_goes_on_after_a_reset(hub: Hub, tmp_path: Path, resets: int) -> None:
    hub.cuts, hub.resets = [300_000] * resets, resets
    assert get(hub, tmp_path).read_bytes() == CONTENT
    assert len(hub.asked) == resets + 1


def test_a_server_that_always_resets_is_given_up(hub: Hub, tmp_path: Path) -> None:
    hub.cuts, hub.resets = [10] * 10, 10
    with pytest.raises(Unreachable, match="reset"):
        get(hub, tmp_path)
    assert len(hub.asked) == 4


def test_it_goes_on_after_an_earlier_run(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file.bin.part").write_bytes(CONTENT[:1_000])
    assert get(hub, tmp_path).read_bytes() == CONTENT
    assert hub.asked == ["bytes=1000-"]


def test_what_is_left_of_a_longer_file_is_dropped(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file.bin.part").write_bytes(CONTENT + b"more")
    assert get(hub, tmp_path).read_bytes() == CONTENT


def test_a_server_that_knows_no_ranges_sends_it_all(hub: Hub, tmp_path: Path) -> None:
    hub.ranges, hub.cuts = False, [300_000]
    assert get(hub, tmp_path).read_bytes() == CONTENT


def test_another_content_is_refused_and_not_kept(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(WrongContent, match=SHA256):
        get(hub, tmp_path, "0" * 64)
    assert list((tmp_path / "deep").iterdir()) == []


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (401, 1), (503, 4), (429, 6)])
def test_an_error_is_told_and_only_some_are_tried_again(hub: Hub, tmp_path: Path, status: int, asked: int) -> None:
    hub.status = status
    with pytest.raises(Unreachable, match=str(status)):
        get(hub, tmp_path)
    assert len(hub.asked) == asked


def test_a_server_that_always_breaks_off_is_given_up(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [10] * 10
    with pytest.raises(Unreachable, match="received 10 bytes"):
        get(hub, tmp_path)
    assert len(hub.asked) == 6


def test_nobody_there(tmp_path: Path) -> None:
    file = LockedFile("file.bin", "http://127.0.0.1:1/file.bin", SHA256)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1"):
        fetch(file, tmp_path)


def test_what_had_come_before_it_was_given_up_is_kept(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [3 * CHUNK, *[10] * 10]
    with pytest.raises(Unreachable):
        get(hub, tmp_path)
    hub.cuts = []
    assert get(hub, tmp_path).read_bytes() == CONTENT
    assert hub.asked[-1] == f"bytes={3 * CHUNK}-"


def test_progress_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with DownloadProgress(desc="weights.pth", total=2_000_000, unit="B", unit_scale=True, disable=None) as progress:
        for _ in range(2):
            progress.update(1_000_000)
    lines = capsys.readouterr().err.split("\r")
    assert lines[1].startswith("weights.pth:   0%")
    assert "/2.00M" in lines[1]
    assert lines[-1].startswith("weights.pth: 100%")


def test_a_download_shows_its_progress(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    get(hub, tmp_path)
    assert "deep/file.bin: 100%" in capsys.readouterr().err


LOCK = f'source = "https://hub.example/owner/model"\n[sha256]\n"a/b.bin" = "{SHA256}"\n'


def test_a_lock_names_files_below_its_source(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(LOCK)
    assert read(tmp_path / "lock") == [LockedFile("a/b.bin", "https://hub.example/owner/model/a/b.bin", SHA256)]


def test_a_mirror_takes_the_place_of_the_hub(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(LOCK)
    (file,) = read(tmp_path / "lock", "http://mirror.example:8080/hub/")
    assert file.url == "http://mirror.example:8080/hub/owner/model/a/b.bin"


@pytest.mark.parametrize("mirror", ["mirror.example", "file:///etc", "ftp://mirror.example"])
def test_a_mirror_must_be_a_web_address(tmp_path: Path, mirror: str) -> None:
    (tmp_path / "lock").write_text(LOCK)
    with pytest.raises(BadLock, match="https://"):
        read(tmp_path / "lock", mirror)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd"])
def test_a_lock_cannot_name_files_outside(tmp_path: Path, name: str) -> None:
    (tmp_path / "lock").write_text(LOCK.replace("a/b.bin", name))
    with pytest.raises(BadLock, match="below"):
        read(tmp_path / "lock")


def test_the_lock_of_kokoro_is_whole() -> None:
    files = read(Path(__file__).parents[3] / "docker" / "models" / "kokoro_export" / "weights.lock.toml")
    assert len([file for file in files if file.name.startswith("voices/")]) == 54
