"""One real stack for the whole run: Postgres, Triton with the tests' models, the web process, the worker."""

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import settings

from tests.stack import Stack, started_stack, temporary_home

settings.register_profile("lectern", deadline=None)  # a busy machine must not fail a test
settings.load_profile("lectern")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with temporary_home() as home, started_stack(home) as running:
        yield running


@pytest.fixture(scope="session")
def triton_address(stack: Stack) -> str:
    return stack.triton_address


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx.Client]:
    with stack.http() as client:
        yield client
