"""What `.ci/run` says of a checkout whose tests fail once, always, or never come to run."""

import pytest

from tests.unit.ci.conftest import Checkout

PASSES = "def test_passes():\n    pass\n"
FAILS_ONCE = """
from pathlib import Path

def test_fails_once():
    tried = Path("tried")
    seen = tried.exists()
    tried.touch()
    assert seen
"""
FAILS_TOGETHER = """
others = []

def test_other():
    others.append(1)

def test_alone():
    assert not others
"""
FAILS_ALWAYS = "def test_fails():\n    assert False\n"
FAILS_IN_SETUP = (
    "import pytest\n\n@pytest.fixture\ndef broken():\n    raise OSError\n\ndef test_never(broken):\n    pass\n"
)
COUNTS = """
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(6))
def test_fails(number):
    with Path("runs").open("a") as runs:
        runs.write("run\\n")
    assert False
"""
NEEDS_ITS_VARIABLE = """
import os
from pathlib import Path

def test_place():
    assert os.environ["LECTERN_TEST_PLACE"] == "here"
    tried = Path("tried")
    seen = tried.exists()
    tried.touch()
    assert seen
"""
CRASHES_ONCE = """
import os
from pathlib import Path

def test_crashes():
    tried = Path("tried")
    if not tried.exists():
        tried.touch()
        os._exit(0)
"""


def test_tests_that_pass(checkout: Checkout) -> None:
    checkout.write("unit/test_it.py", PASSES)
    status, said = checkout.steps("check", "unit", "stack")
    assert status == 0
    assert "== all passed" in said
    assert "flaky" not in said
    assert [line.split()[::2] for line in said.splitlines() if line.startswith(("   unit", "   stack"))] == [
        ["unit", "1"], ["stack", "1"],
    ]  # fmt: skip
    assert (checkout.root / ".cache" / "test-reports" / "unit" / "1.xml").exists()
    assert "slowest 40 durations" in said


@pytest.mark.parametrize(
    ("tests", "name"), [(FAILS_ONCE, "test_fails_once"), (FAILS_TOGETHER, "test_alone")], ids=["once", "not-alone"]
)
@pytest.mark.parametrize("options", ["", "-p xdist -n 1"])
def test_a_test_that_passes_alone_is_flaky(checkout: Checkout, tests: str, name: str, options: str) -> None:
    checkout.write("unit/test_it.py", tests)
    status, said = checkout.steps("unit", options=options)
    assert status == 0, said
    assert said.endswith(f"\nflaky:\n  unit: unit/test_it.py::{name}\n\n== all passed\n")


@pytest.mark.parametrize(
    ("tests", "name"), [(FAILS_ALWAYS, "test_fails"), (FAILS_IN_SETUP, "test_never")], ids=["call", "setup"]
)
def test_a_test_that_fails_again_has_failed(checkout: Checkout, tests: str, name: str) -> None:
    checkout.write("unit/test_it.py", tests)
    status, said = checkout.steps("unit")
    assert status == 1
    assert f"== once more, alone: unit/test_it.py::{name}" in said
    assert said.endswith(f"\nfailed:\n  unit: unit/test_it.py::{name}\n\n== failed\n")


def test_a_flaky_test_does_not_excuse_another(checkout: Checkout) -> None:
    checkout.write("unit/test_it.py", FAILS_ONCE + FAILS_ALWAYS)
    status, said = checkout.steps("unit")
    assert status == 1
    assert "flaky:\n  unit: unit/test_it.py::test_fails_once\nfailed:\n  unit: unit/test_it.py::test_fails\n" in said


def test_many_failed_tests_are_not_tried_again(checkout: Checkout) -> None:
    checkout.write("unit/test_it.py", COUNTS)
    status, said = checkout.steps("unit")
    assert status == 1
    assert (checkout.root / "runs").read_text().count("run") == 6
    assert said.count("  unit: unit/test_it.py::test_fails[") == 6


def test_the_second_try_has_the_variables_of_the_first(checkout: Checkout) -> None:
    checkout.write("stack/test_stack.py", NEEDS_ITS_VARIABLE)
    status, said = checkout.steps("stack")
    assert status == 0, said
    assert "flaky:\n  stack: stack/test_stack.py::test_place" in said


@pytest.mark.parametrize("options", ["", "-p xdist -n 1"])
@pytest.mark.parametrize("tests", ["import no_such_module\n", CRASHES_ONCE], ids=["collection", "crash"])
def test_a_run_that_breaks_has_failed(checkout: Checkout, tests: str, options: str) -> None:
    checkout.write("unit/test_it.py", tests)
    checkout.write("unit/test_other.py", FAILS_ONCE)
    status, said = checkout.steps("unit", options=options)
    assert status == 1
    assert "once more" not in said
    assert "\nfailed:\n  unit: " in said


def test_no_tests_at_all_have_failed(checkout: Checkout) -> None:
    checkout.write("unit/empty.txt", "")
    assert checkout.steps("unit")[0] == 1


def test_every_step_runs_though_earlier_ones_fail(checkout: Checkout) -> None:
    checkout.write("Makefile", (checkout.root / "Makefile").read_text().replace("@echo checked", "@false"))
    checkout.write("unit/test_it.py", FAILS_ALWAYS)
    status, said = checkout.steps("check", "unit", "stack")
    assert status == 1
    assert "the rest of the target" in said
    assert "== once more, alone: unit/test_it.py::test_fails" in said
    assert said.endswith("\nfailed:\n  check: make failed\n  unit: unit/test_it.py::test_fails\n\n== failed\n")
    assert any(line.split()[::2] == ["stack", "1"] for line in said.splitlines())


def test_a_step_that_does_not_exist(checkout: Checkout) -> None:
    status, said = checkout.steps("units")
    assert status == 2
    assert "no step is named units: the steps are check, test, unit, stack" in said
