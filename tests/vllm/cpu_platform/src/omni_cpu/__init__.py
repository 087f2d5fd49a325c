"""vLLM-Omni has platforms for accelerators only. This lets the tests run it on a CPU: slow, and no more than that."""


def register() -> str:
    return "omni_cpu.platform.CpuOmniPlatform"
