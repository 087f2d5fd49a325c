"""The Triton backend `voice`: the speech contract for every model folder that has a `1/voice.py`."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import cast

from lectern_triton.voice_backend.speech_model import SpeechModel
from lectern_triton.voice_backend.voice import Settings, Voice


class TritonPythonModel(SpeechModel):
    """Speaks with the class `Voice` in the `voice.py` of the model's folder."""

    def make_voice(self, settings: Settings) -> Voice:
        return cast(Voice, import_from(settings.folder).Voice(settings))


def import_from(folder: Path) -> ModuleType:
    """Import `voice.py` from a model's folder, after the packages in that folder, which it may import by name.

    This is the only place that imports by file. Triton's stub puts the folder of a plain Python model on Python's
    search path; for the models of a backend it puts only the backend's folder there.
    """
    for package in sorted(folder.glob("*/__init__.py")):
        _import(package.parent.name, package)
    return _import("voice", folder / "voice.py")


def _import(name: str, file: Path) -> ModuleType:
    folders = [str(file.parent)] if file.name == "__init__.py" else None
    spec = spec_from_file_location(name, file, submodule_search_locations=folders)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not Python")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
