"""`make kokoro` with published weights: from a hub on this machine, in the form in which they are published."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from kokoro_export import __main__ as command
from kokoro_export.install import CARD
from kokoro_export.upstream import architecture, build

PARTS = ("bert", "bert_encoder", "predictor", "decoder", "text_encoder")
PATH = "owner/model/resolve/main"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of what is published; what lies there is locked by `lock`."""
    folder = tmp_path / "hub" / PATH
    (folder / "voices").mkdir(parents=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "hub")) as server:
        monkeypatch.setenv("LECTERN_WEIGHTS_MIRROR", f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield folder
        server.shutdown()
        thread.join()


def lock(hub: Path, file: Path) -> dict[str, str]:
    files = sorted(path for path in hub.rglob("*") if path.is_file())
    hashes = {path.relative_to(hub).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    lines = [
        f'source = "https://hub.example/{PATH}"',
        "[sha256]",
        *(f'"{name}" = "{own}"' for name, own in hashes.items()),
    ]
    file.write_text("\n".join(lines))
    return hashes


def test_what_is_published_is_what_is_built(hub: Path, tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        kmodel = build(architecture())
    # Upstream's were trained in parallel: each name begins with "module.".
    parts = {
        part: {f"module.{name}": value for name, value in getattr(kmodel, part).state_dict().items()} for part in PARTS
    }
    torch.save(parts, hub / "kokoro-v1_0.pth")
    table = torch.randn(510, 1, 256)
    torch.save(table, hub / "voices" / "af_heart.pt")
    hashes = lock(hub, tmp_path / "lock.toml")

    source = command._published(tmp_path / "work", tmp_path / "lock.toml")
    assert source.weights == hashes
    assert list(source.voices) == ["af_heart"]
    assert np.array_equal(source.voices["af_heart"], table[:, 0].numpy())
    wanted, made = kmodel.state_dict(), source.build().state_dict()
    assert wanted.keys() == made.keys()
    assert all(torch.equal(wanted[name], made[name]) for name in wanted)


def test_another_file_than_the_locked_one_installs_nothing(
    hub: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (hub / "kokoro-v1_0.pth").write_bytes(b"one")
    lock(hub, tmp_path / "lock.toml")
    (hub / "kokoro-v1_0.pth").write_bytes(b"two")
    options = {"--repository": tmp_path / "models", "--work": tmp_path / "work", "--lock": tmp_path / "lock.toml"}
    assert command.main([str(part) for option in options.items() for part in option]) == 1
    assert "kokoro-v1_0.pth is not the file that the lock names" in capsys.readouterr().err
    assert not (tmp_path / "models" / CARD).exists()
