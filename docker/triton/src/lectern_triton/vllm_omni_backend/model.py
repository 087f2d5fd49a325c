"""The Triton backend `vllm_omni`: Higgs Audio, spoken by an engine in a process and an environment of its own."""

import triton_python_backend_utils as pb_utils

from lectern_triton.vllm_omni_backend.metrics import EngineMetrics
from lectern_triton.vllm_omni_backend.voice import Voice
from lectern_triton.voice_backend.speech_model import SpeechModel
from lectern_triton.voice_backend.voice import Settings


class TritonPythonModel(SpeechModel):
    """Speaks with the engine that the model's parameters name."""

    def make_voice(self, settings: Settings) -> Voice:
        self._metrics = EngineMetrics(pb_utils, settings.model)
        try:
            self._engine_voice = Voice(settings, self._metrics)
        except BaseException:
            self._metrics.end()
            raise
        return self._engine_voice

    def metrics(self) -> EngineMetrics:
        return self._metrics

    def is_ready(self) -> bool:
        return self._engine_voice.is_ready()
