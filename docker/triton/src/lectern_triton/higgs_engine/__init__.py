"""The engine's process, which speaks Higgs Audio in an environment of its own for the backend `vllm_omni`."""
