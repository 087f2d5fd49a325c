"""Kokoro's real weights behind a whole stack, and Whisper. They need an environment of their own: `make test-ears`.

LECTERN_TEST_EARS_PRECISION names the precision, fp32 if it is left out. Every sound of the last run lies in
.cache/ears/last, to be listened to.
"""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lectern import Client
from tests.ears.recording import MODEL, Recording, spoken
from tests.stack import Stack, started_stack, temporary_home

if TYPE_CHECKING:
    from tests.ears.listener import Listener

SOUNDS = Path(__file__).parents[2] / ".cache" / "ears" / "last"
PATIENCE = 600  # seconds for which a request is sent again while the model has work enough

if importlib.util.find_spec("faster_whisper") is None:
    collect_ignore_glob = ["test_*.py"]


class Studio:
    """Has texts spoken, each once in a run, and keeps their sound."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._kept: dict[str, Recording] = {}

    def record(self, name: str, text: str, **options: Any) -> Recording:
        """Returns the recording of this name; the name stands for text and options."""
        if name not in self._kept:
            self._kept[name] = spoken(self.client, text, **options)
            self._kept[name].save(SOUNDS / f"{name}.wav")
        return self._kept[name]


@pytest.fixture(scope="session")
def precision() -> str:
    return os.environ.get("LECTERN_TEST_EARS_PRECISION") or "fp32"


@pytest.fixture(scope="session")
def stack(precision: str) -> Iterator[Stack]:
    from tests.ears.installed_model import lay_out  # noqa: PLC0415 - needs packages that only this environment has

    with temporary_home() as home:
        repository = lay_out(home.with_name("models"), precision)
        settings = {"MODELS": MODEL, "DEFAULT_MODEL": MODEL, "MODEL_REPOSITORIES": "", "PRICES": f"{MODEL}=1000"}
        with started_stack(home, repository, **{f"LECTERN_{name}": value for name, value in settings.items()}) as made:
            yield made


@pytest.fixture(scope="session")
def client(stack: Stack) -> Iterator[Client]:
    with Client(stack.url, api_key=stack.api_key, timeout=PATIENCE, retry_timeout=PATIENCE) as made:
        yield made


@pytest.fixture(scope="session")
def studio(client: Client) -> Studio:
    shutil.rmtree(SOUNDS, ignore_errors=True)
    return Studio(client)


@pytest.fixture(scope="session")
def listener() -> "Listener":
    from tests.ears.listener import Listener  # noqa: PLC0415

    return Listener()
