from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.higgs_install.checkpoints import codec, recording, v2, v3
from tests.unit.higgs_install.hub import Hub, Repository, serving

DOCKER = Path(__file__).parents[3] / "docker"
FOLDER = DOCKER / "models"

LICENCE = b"What you may do.\n"


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub of models, and a host of recordings, on this machine."""
    with serving() as server:
        server.repositories = {
            "acme/higgs-2": Repository(v2() | {"LICENSE": LICENCE, "README.md": b"# Higgs", "modeling.py": b"boo()"}),
            "acme/codec": Repository(codec() | {"LICENSE": LICENCE, "model.pth": b"a pickle"}),
            "acme/higgs-3": Repository(v3() | {"LICENSE": LICENCE, "merges.txt": b"a b\n"}),
        }
        server.plain = {"/raw/woman.wav": recording(6.4), "/raw/man.wav": recording(7.7)}
        yield server


@pytest.fixture
def locks(hub: Hub, tmp_path: Path) -> Path:
    """Lock files that name the repositories of the hub, and no hashes yet."""
    folder = tmp_path / "locks"
    folder.mkdir()
    for name, repository in (("v2", "acme/higgs-2"), ("codec", "acme/codec"), ("v3", "acme/higgs-3")):
        revision = hub.repositories[repository].commit
        (folder / f"{name}.lock.toml").write_text(
            f'# kept as it is\nsource = "{hub.url}/{repository}/resolve/{revision}"\n'
            'take = ["*.safetensors", "*.json", "*.jinja", "*.txt", "LICENSE*"]\n\n[sha256]\n'
        )
    return folder
