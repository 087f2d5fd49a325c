"""What vLLM imports in the process that holds the talker, before it loads it."""

from typing import Final

from vllm_omni.model_executor.models.registry import OmniModelRegistry

TALKERS: Final = {
    "HiggsAudioV2ForConditionalGeneration": "lectern_triton.higgs_engine.omni.talker_v2:Talker",
    "HiggsAudioV3TalkerForConditionalGeneration": "lectern_triton.higgs_engine.omni.talker_v3:Talker",
}

for _architecture, _talker in TALKERS.items():
    OmniModelRegistry.register_model(_architecture, _talker)


class OwnTalker:
    """`worker_extension_cls` of the talker's stage: vLLM makes it a base of its worker. To name it is all it takes."""
