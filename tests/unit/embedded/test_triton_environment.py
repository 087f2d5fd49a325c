"""Which environment variables reach the models."""

from pathlib import Path

from orchestrator.embedded.triton import variables
from orchestrator.embedded.triton_backends import ModelsEnvironment

OURS = ModelsEnvironment(
    prefix=Path("/env"), python_version="3.11", library_folder=Path("/env/lib"), triton=Path("/env/triton")
)


def test_secrets_do_not_reach_the_models() -> None:
    given = variables(OURS, {"DATABASE_URL": "postgresql://me:secret@host", "HF_TOKEN": "secret", "HOME": "/home/me"})
    assert "secret" not in " ".join(given.values())
    assert given["HOME"] == "/home/me"


def test_an_engine_has_its_own_interpreter_cache_and_gpus() -> None:
    wanted = {
        "LECTERN_ENGINE_PYTHON": "/vllm/bin/python",
        "LECTERN_ENGINE_CACHE": "/cache",
        "CUDA_VISIBLE_DEVICES": "1",
    }
    assert wanted.items() <= variables(OURS, wanted).items()


def test_the_models_environment_comes_first() -> None:
    assert variables(OURS, {"PATH": "/usr/bin", "PYTHONPATH": "/mine"})["PATH"] == "/env/bin:/usr/bin"
    assert "PYTHONPATH" not in variables(OURS, {"PYTHONPATH": "/mine"})
