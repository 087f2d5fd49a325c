import sys
import sysconfig
from pathlib import Path

import pytest

from lectern_triton.vllm_omni_backend.configuration import (
    Configuration,
    ConfigurationError,
    find_python,
    read_arguments,
    read_configuration,
)
from lectern_triton.vllm_omni_backend.engine_process import Launch


def test_parameters_are_read_from_their_strings() -> None:
    found = read_configuration({"concurrency": "16", "temperature": "0.7", "scene": "12", "engine": "fake"})
    assert (found.concurrency, found.temperature, found.scene, found.engine) == (16, 0.7, "12", "fake")
    assert found.most_frames == Configuration().most_frames


def test_tritons_own_parameters_are_left_alone() -> None:
    assert read_configuration({"FORCE_CPU_ONLY_INPUT_TENSORS": "yes"}) == Configuration()


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"concurrency": "many"}, "concurrency"),
        ({"concurrency": "0"}, "concurrency"),
        ({"top_p": "1.5"}, "top_p"),
        ({"seed": "-1"}, "seed"),
        ({"load_timeout": "0"}, "load_timeout"),
        ({"concurrent": "4"}, "unknown field `concurrent`"),
    ],
)
def test_what_cannot_be_used_is_named(parameters: dict[str, str], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=f"config.pbtxt.*{reason}"):
        read_configuration(parameters)


def test_the_arguments_are_the_engines_alone(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text('{"model": "weights", "anything": [1]}')
    assert read_arguments(tmp_path) == {"model": "weights", "anything": [1]}


@pytest.mark.parametrize(("text", "reason"), [(None, "missing"), ("[]", "JSON object"), ("{", "not valid JSON")])
def test_arguments_that_cannot_be_read(tmp_path: Path, text: str | None, reason: str) -> None:
    if text is not None:
        (tmp_path / "model.json").write_text(text)
    with pytest.raises(ConfigurationError, match=reason):
        read_arguments(tmp_path)


def test_the_interpreter_is_the_parameters_before_the_environments() -> None:
    environment = {"PATH": "/usr/bin", "LECTERN_ENGINE_PYTHON": sys.executable}
    assert find_python(Configuration(), environment) == sys.executable
    assert find_python(Configuration(engine_python="/bin/sh"), environment) == "/bin/sh"
    with pytest.raises(ConfigurationError, match=r"/nowhere/python3.*engine_python"):
        find_python(Configuration(engine_python="/nowhere/python3"), environment)


def test_an_engine_gets_its_own_environment_not_the_models() -> None:
    libraries = sysconfig.get_config_var("LIBDIR")
    command = Launch("/engine/bin/python3", "fake", Path("/model"), Path("/model/1"))
    given = {
        "PATH": "/usr/bin",
        "LD_LIBRARY_PATH": f"{libraries}:/cuda/lib",
        "PYTHONHOME": "/other",
        "VIRTUAL_ENV": "/other",
        "CUDA_VISIBLE_DEVICES": "1",
    }
    environment = command.environment(given)
    assert environment["PATH"] == "/engine/bin:/usr/bin"
    assert environment["LD_LIBRARY_PATH"] == "/cuda/lib"
    assert environment["PYTHONPATH"] == "/model/1"
    assert environment["CUDA_VISIBLE_DEVICES"] == "1"
    assert not {"PYTHONHOME", "VIRTUAL_ENV"} & environment.keys()
    assert "LD_LIBRARY_PATH" not in command.environment({"LD_LIBRARY_PATH": libraries})
