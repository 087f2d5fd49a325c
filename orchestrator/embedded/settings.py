"""Settings of the stack that runs on one machine; the server processes do not read them."""

from typing import Annotated, Literal

from orchestrator.lib.environment import EnvSettings, env


class EmbeddedSettings(EnvSettings, frozen=True, kw_only=True):
    models: Annotated[
        str,
        env(
            "LECTERN_MODELS",
            "Models that the embedded Triton loads, separated by commas; auto: espeak and all that are installed.",
        ),
    ] = "auto"
    device: Annotated[
        Literal["cpu", "gpu"],
        env(
            "LECTERN_DEVICE",
            "Device of the embedded Triton's models; gpu needs ONNX Runtime for GPUs in their environment.",
        ),
    ] = "cpu"
    model_repository: Annotated[
        str, env("LECTERN_MODEL_REPOSITORY", "Folder of models. Left out: model_repository/ of the checkout.")
    ] = ""
    model_repositories: Annotated[
        str, env("LECTERN_MODEL_REPOSITORIES", "Further folders of models, separated by colons.")
    ] = ""
    restrict_inference: Annotated[
        bool, env("LECTERN_RESTRICT_INFERENCE", "Whether the embedded Triton's inference needs its secret, 1 or 0.")
    ] = True
    engine_python: Annotated[
        str,
        env(
            "LECTERN_ENGINE_PYTHON",
            "Python of the environment of Higgs Audio's engine. Left out: that of .venvs/vllm, if it exists.",
        ),
    ] = ""
    postgres_user: Annotated[
        str, env("LECTERN_POSTGRES_USER", "User that root runs Postgres as. Left out: postgres, else nobody.")
    ] = ""
    sample: Annotated[bool, env("LECTERN_SAMPLE", "Whether `make up` reads the sample document aloud, 1 or 0.")] = True
