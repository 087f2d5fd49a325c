"""What tests of voices work with."""

from collections.abc import Iterator

import pytest

from orchestrator.speech.threads import EncoderThreads


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def threads() -> Iterator[EncoderThreads]:
    made = EncoderThreads(1)
    yield made
    made.close()
