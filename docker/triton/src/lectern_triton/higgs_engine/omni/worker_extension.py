"""Registers our talkers. vLLM imports this module in its worker process before it loads the model."""

from typing import Final

from vllm_omni.model_executor.models.registry import OmniModelRegistry

TALKERS: Final = {
    "HiggsAudioV2ForConditionalGeneration": "lectern_triton.higgs_engine.omni.talker_v2:Talker",
    "HiggsAudioV3TalkerForConditionalGeneration": "lectern_triton.higgs_engine.omni.talker_v3:Talker",
}

for _architecture, _talker in TALKERS.items():
    OmniModelRegistry.register_model(_architecture, _talker)


class TalkerExtension:
    """The `worker_extension_cls` of the talker's stage, a base of vLLM's worker: naming it imports this module."""
