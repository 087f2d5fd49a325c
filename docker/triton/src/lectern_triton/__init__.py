"""Lectern's side of Triton: three backends, and the engine that the backend `vllm_omni` runs.

`voice_backend` implements the speech contract for the voices of model_repository. `vllm_omni_backend` does the same for
Higgs Audio, whose engine, `higgs_engine`, runs in a process and an environment of its own. `onnxruntime_backend` stands
in for NVIDIA's where that is not installed.
"""
