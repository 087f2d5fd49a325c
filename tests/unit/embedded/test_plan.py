import pytest

from orchestrator.embedded.errors import CannotStart
from orchestrator.embedded.home import Home
from orchestrator.embedded.plan import Plan
from orchestrator.embedded.triton import TritonPlan


def test_by_default_everything_is_started_here(home: Home) -> None:
    plan = Plan.of(home, {})
    assert plan.url == "http://127.0.0.1:8000"
    assert plan.database_url is None
    assert isinstance(plan.triton, TritonPlan)
    assert plan.triton_url == f"127.0.0.1:{plan.triton.grpc_port}"
    assert plan.store_url == home.store.as_uri()


def test_what_is_given_is_not_started(home: Home) -> None:
    given = {"DATABASE_URL": "postgresql://u:p@h/d", "TRITON_URL": "triton:8001", "STORE_URL": "s3://bucket/prefix"}
    plan = Plan.of(home, given)
    assert plan.database_url == given["DATABASE_URL"]
    assert plan.triton == plan.triton_url == "triton:8001"
    assert plan.store_url == "s3://bucket/prefix"
    environment = plan.environment(given["DATABASE_URL"])
    assert {name: environment[name] for name in given} == given


def test_an_empty_address_is_none(home: Home) -> None:
    plan = Plan.of(home, {"DATABASE_URL": "", "TRITON_URL": "", "STORE_URL": ""})
    assert plan.database_url is None
    assert isinstance(plan.triton, TritonPlan)
    assert plan.store_url == home.store.as_uri()


def test_port_0_is_any_free_port(home: Home) -> None:
    first, second = Plan.of(home, {"LECTERN_PORT": "0"}), Plan.of(home, {"LECTERN_PORT": "0"})
    assert first.port != second.port


@pytest.mark.parametrize("port", ["99999", "eight", "-1", ""])
def test_a_port_that_cannot_be_used_is_told(home: Home, port: str) -> None:
    with pytest.raises(CannotStart, match="LECTERN_PORT"):
        Plan.of(home, {"LECTERN_PORT": port})


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:8000"), ("::", "http://[::1]:8000"), ("localhost", "http://localhost:8000")],
)
def test_the_url_is_one_that_this_machine_can_reach(home: Home, host: str, url: str) -> None:
    assert Plan.of(home, {"LECTERN_HOST": host}).url == url


def test_two_stacks_share_no_port_and_no_memory(home: Home) -> None:
    one, two = Plan.of(home, {}).triton, Plan.of(Home(home.path.with_name("another")), {}).triton
    assert isinstance(one, TritonPlan)
    assert isinstance(two, TritonPlan)
    assert not {one.grpc_port, one.metrics_port} & {two.grpc_port, two.metrics_port}
    assert one.shared_memory != two.shared_memory


def test_a_new_start_finds_the_memory_of_the_last_one(home: Home) -> None:
    one, again = Plan.of(home, {}).triton, Plan.of(home, {}).triton
    assert isinstance(one, TritonPlan)
    assert isinstance(again, TritonPlan)
    assert one.shared_memory == again.shared_memory
