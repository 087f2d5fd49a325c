"""The Triton backend `voice`: the speech contract for every model folder that has a `1/voice.py`."""

import importlib
import sys
from pathlib import Path
from typing import cast

sys.path.insert(0, str(Path(__file__).resolve().parent))

from voice_backend.protocol import Settings, Voice
from voice_backend.triton_model import SpeechModel


class TritonPythonModel(SpeechModel):
    """Speaks with the voice of the model's folder."""

    def make_voice(self, settings: Settings) -> Voice:
        sys.path.insert(0, str(settings.folder))
        return cast(Voice, importlib.import_module("voice").Voice(settings))
