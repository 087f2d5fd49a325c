"""Kokoro's real weights behind a whole stack, and Whisper. They need an environment of their own: `make test-ears`.

LECTERN_TEST_EARS_PRECISION names the precision, fp32 if it is left out. Every sound of the last run lies in
.cache/ears/last, to be listened to.
"""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lectern import Client
from tests.ears.recording import MODEL, Recording, spoken
from tests.stack import started_stack, temporary_home

if TYPE_CHECKING:
    from tests.ears.listener import Listener

SOUNDS = Path(__file__).parents[2] / ".cache" / "ears" / "last"
PATIENCE = 600  # seconds, against a hang only

if importlib.util.find_spec("faster_whisper") is None:
    collect_ignore_glob = ["test_*.py"]


class Studio:
    """Has texts spoken, each once in a run, and keeps their sound."""

    def __init__(self, client: Client, sounds: Path) -> None:
        self._client = client
        self._sounds = sounds
        self._kept: dict[str, Recording] = {}

    def record(self, name: str, text: str, **options: Any) -> Recording:
        """Returns the recording of this name; the name stands for text and options."""
        if name not in self._kept:
            self._kept[name] = spoken(self._client, text, **options)
            self._kept[name].save(self._sounds / f"{name}.wav")
        return self._kept[name]


@pytest.fixture(scope="session")
def precision() -> str:
    return os.environ.get("LECTERN_TEST_EARS_PRECISION") or "fp32"


@contextmanager
def kokoro_client(precision: str) -> Iterator[Client]:
    """Starts a stack on the model of this precision, which is made if it is not there."""
    from tests.ears.installed_model import lay_out  # noqa: PLC0415 - needs packages that only this environment has

    settings = {"MODELS": MODEL, "DEFAULT_MODEL": MODEL, "MODEL_REPOSITORIES": "", "PRICES": f"{MODEL}=1000"}
    # Nothing is refused, however busy the machine is.
    settings |= dict.fromkeys(("ADMISSION_WAIT", "SPEECH_DEADLINE"), str(PATIENCE))
    with temporary_home() as home:
        repository = lay_out(home.with_name("models"), precision)
        with (
            started_stack(home, repository, **{f"LECTERN_{name}": value for name, value in settings.items()}) as stack,
            Client(stack.url, api_key=stack.api_key, timeout=PATIENCE, retry_timeout=PATIENCE) as client,
        ):
            yield client


@pytest.fixture(scope="session")
def client(precision: str) -> Iterator[Client]:
    with kokoro_client(precision) as made:
        yield made


@pytest.fixture(scope="session")
def sounds() -> Path:
    """The folder of every sound of this run; those of the last one are gone."""
    shutil.rmtree(SOUNDS, ignore_errors=True)
    return SOUNDS


@pytest.fixture(scope="session")
def studio(client: Client, sounds: Path) -> Studio:
    return Studio(client, sounds)


@pytest.fixture(scope="session")
def listener() -> "Listener":
    from tests.ears.listener import Listener  # noqa: PLC0415

    return Listener()
