from pathlib import Path

import pytest

from orchestrator.embedded import CannotStart
from orchestrator.embedded.configuration import StackConfiguration
from orchestrator.embedded.home import Home
from orchestrator.embedded.triton import LONGEST_SOCKET, TritonConfiguration, restriction, variables
from orchestrator.embedded.triton_backends import ModelsEnvironment


def test_by_default_every_service_is_embedded(home: Home) -> None:
    configuration = StackConfiguration.of(home, {})
    assert configuration.url == "http://127.0.0.1:8000"
    assert configuration.database_url is None
    assert isinstance(configuration.triton, TritonConfiguration)
    assert configuration.triton_url == f"unix:{configuration.triton.socket}"
    assert configuration.store_url == home.store.as_uri()


def test_a_service_with_an_address_is_external(home: Home) -> None:
    given = {"DATABASE_URL": "postgresql://u:p@h/d", "TRITON_URL": "triton:8001", "STORE_URL": "s3://bucket/prefix"}
    configuration = StackConfiguration.of(home, given)
    assert configuration.database_url == given["DATABASE_URL"]
    assert configuration.triton == configuration.triton_url == "triton:8001"
    assert configuration.store_url == "s3://bucket/prefix"
    environment = configuration.environment(given["DATABASE_URL"])
    assert {name: environment[name] for name in given} == given


def test_an_empty_address_is_none(home: Home) -> None:
    configuration = StackConfiguration.of(home, {"DATABASE_URL": "", "TRITON_URL": "", "STORE_URL": ""})
    assert configuration.database_url is None
    assert isinstance(configuration.triton, TritonConfiguration)
    assert configuration.store_url == home.store.as_uri()


def test_port_0_is_any_free_port(home: Home) -> None:
    first, second = (
        StackConfiguration.of(home, {"LECTERN_PORT": "0"}),
        StackConfiguration.of(home, {"LECTERN_PORT": "0"}),
    )
    assert first.port != second.port


@pytest.mark.parametrize("port", ["99999", "eight", "-1", ""])
def test_a_port_that_cannot_be_used_is_told(home: Home, port: str) -> None:
    with pytest.raises(CannotStart, match="LECTERN_PORT"):
        StackConfiguration.of(home, {"LECTERN_PORT": port})


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:8000"), ("::", "http://[::1]:8000"), ("localhost", "http://localhost:8000")],
)
def test_the_url_is_one_that_this_machine_can_reach(home: Home, host: str, url: str) -> None:
    assert StackConfiguration.of(home, {"LECTERN_HOST": host}).url == url


def test_models_run_on_the_device_that_is_asked_for(home: Home) -> None:
    for device in ("cpu", "gpu"):
        triton = StackConfiguration.of(home, {"LECTERN_DEVICE": device}).triton
        assert isinstance(triton, TritonConfiguration)
        assert triton.device == device
    with pytest.raises(CannotStart, match="LECTERN_DEVICE"):
        StackConfiguration.of(home, {"LECTERN_DEVICE": "tpu"})


def test_the_secret_is_made_anew_at_each_start_and_handed_to_all_processes(home: Home) -> None:
    one, other = StackConfiguration.of(home, {}), StackConfiguration.of(home, {})
    assert isinstance(one.triton, TritonConfiguration)
    secret = one.triton.secret.reveal()
    assert len(secret) >= 32
    assert one.environment("")["TRITON_SECRET"] == secret
    assert other.environment("")["TRITON_SECRET"] != secret
    assert StackConfiguration.of(home, {"TRITON_SECRET": "mine"}).environment("")["TRITON_SECRET"] == "mine"


@pytest.mark.parametrize("restricted", ["1", "0"])
def test_inference_needs_the_secret_unless_a_setting_says_otherwise(home: Home, restricted: str) -> None:
    configuration = StackConfiguration.of(home, {"TRITON_SECRET": "mine", "LECTERN_RESTRICT_INFERENCE": restricted})
    assert isinstance(configuration.triton, TritonConfiguration)
    option, _, protocols = restriction(configuration.triton).removesuffix(":lectern-secret=mine").partition("=")
    assert option == "--grpc-restricted-protocol"
    assert {"model-repository", "model-config", "shared-memory", "trace", "logging"} <= set(protocols.split(","))
    assert ("inference" in protocols.split(",")) == (restricted == "1")


def test_a_secret_that_cannot_be_sent_is_told(home: Home) -> None:
    with pytest.raises(CannotStart, match="TRITON_SECRET cannot be used"):
        StackConfiguration.of(home, {"TRITON_SECRET": "two\nlines"})
    assert (
        StackConfiguration.of(home, {"TRITON_URL": "triton:8001", "TRITON_SECRET": "hush"}).triton_secret.reveal()
        == "hush"
    )


def test_two_stacks_share_no_port_and_no_memory(home: Home) -> None:
    one, two = (
        StackConfiguration.of(home, {}).triton,
        StackConfiguration.of(Home(home.path.with_name("another")), {}).triton,
    )
    assert isinstance(one, TritonConfiguration)
    assert isinstance(two, TritonConfiguration)
    assert one.metrics_port != two.metrics_port
    assert one.socket != two.socket
    assert one.shared_memory != two.shared_memory


def test_a_home_with_a_long_path_has_its_socket_elsewhere(home: Home) -> None:
    triton = StackConfiguration.of(Home(home.path / ("long" * 30)), {}).triton
    assert isinstance(triton, TritonConfiguration)
    assert len(bytes(triton.socket)) <= LONGEST_SOCKET


def test_a_new_start_finds_the_memory_of_the_last_one(home: Home) -> None:
    one, again = StackConfiguration.of(home, {}).triton, StackConfiguration.of(home, {}).triton
    assert isinstance(one, TritonConfiguration)
    assert isinstance(again, TritonConfiguration)
    assert one.shared_memory == again.shared_memory


def test_an_engine_has_the_interpreter_that_is_named(home: Home) -> None:
    configuration = StackConfiguration.of(home, {"LECTERN_ENGINE_PYTHON": "/engine/bin/python"})
    assert isinstance(configuration.triton, TritonConfiguration)
    assert configuration.triton.engine_python == Path("/engine/bin/python")


def test_only_variables_for_an_engine_reach_the_models() -> None:
    models = ModelsEnvironment(Path("/models"), "3.11", Path("/lib"), Path("/triton"))
    given = {"PATH": "/usr/bin", "CUDA_VISIBLE_DEVICES": "1", "VLLM_LOGGING_LEVEL": "DEBUG", "DATABASE_URL": "secret"}
    found = variables(models, given, Path("/engine/bin/python"))
    assert found["LECTERN_ENGINE_PYTHON"] == "/engine/bin/python"
    assert (found["CUDA_VISIBLE_DEVICES"], found["VLLM_LOGGING_LEVEL"]) == ("1", "DEBUG")
    assert found["PATH"] == "/models/bin:/usr/bin"
    assert "secret" not in found.values()
