"""The Triton backend `vllm_omni`: Higgs Audio, by an engine in a process and an environment of its own."""

import triton_python_backend_utils as pb_utils

from lectern_triton.vllm_omni_backend.figures import Figures
from lectern_triton.vllm_omni_backend.voice import Voice
from lectern_triton.voice_backend.protocol import Settings
from lectern_triton.voice_backend.triton_model import SpeechModel


class TritonPythonModel(SpeechModel):
    """Speaks by the engine that the model's parameters name."""

    def make_voice(self, settings: Settings) -> Voice:
        self._figures = Figures(pb_utils, settings.model)
        try:
            self._engine_voice = Voice(settings, self._figures)
        except BaseException:
            self._figures.end()
            raise
        return self._engine_voice

    def meter(self) -> Figures:
        return self._figures

    def is_ready(self) -> bool:
        return self._engine_voice.is_ready()
