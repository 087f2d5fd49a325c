"""A stack like the one `make up` starts, in a home and on ports of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from tests import fake_higgs, kokoro

ROOT = Path(__file__).parents[1]
START_SECONDS = 180


@dataclass(frozen=True)
class Stack:
    home: Path
    process: subprocess.Popen[bytes]

    @property
    def record(self) -> dict[str, Any]:
        return dict(json.loads((self.home / "stack.json").read_text()))

    @property
    def url(self) -> str:
        return str(self.record["url"])

    @property
    def triton_address(self) -> str:
        return str(self.record["triton_url"])

    @property
    def api_key(self) -> str:
        return (self.home / "api-key").read_text().strip()

    def http(self, **options: Any) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.api_key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=120, trust_env=False, **options)

    def is_ready(self) -> bool:
        try:
            return is_ready(self.url)
        except (FileNotFoundError, KeyError):  # it has not said yet where it is
            return False


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


@contextmanager
def temporary_home() -> Iterator[Path]:
    """Not below pytest's own folder: when root runs the tests, the user who runs Postgres may not enter that."""
    with TemporaryDirectory(prefix="lectern-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "home"


@contextmanager
def started_stack(home: Path, repository: Path | None = None, /, **environment: str) -> Iterator[Stack]:
    """Runs until the block ends; then everything is stopped, and that must succeed.

    Without a model repository it has one with a tiny Kokoro and a Higgs without weights.
    """
    log = home.with_name(f"{home.name}.log")
    if repository is None:
        repository = kokoro.lay_out(home.with_name("models"))
        fake_higgs.install(repository)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestrator.embedded", "up"],
            cwd=ROOT,
            env={
                **os.environ,
                "LECTERN_HOME": str(home),
                "LECTERN_PORT": "0",
                "LECTERN_SAMPLE": "0",
                "LECTERN_MODELS": "espeak,hum,kokoro,higgs",
                "LECTERN_MODEL_REPOSITORY": str(repository),
                "LECTERN_DEFAULT_MODEL": "espeak",
                "LECTERN_MODEL_REPOSITORIES": str(ROOT / "tests" / "models"),
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    stack = Stack(home, process)
    try:
        _wait_until_ready(stack, log)
        yield stack
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, log.read_text()


def _wait_until_ready(stack: Stack, log: Path) -> None:
    limit = time.monotonic() + START_SECONDS
    while not (stack.home / "api-key").exists() or not stack.is_ready():
        if stack.process.poll() is not None or time.monotonic() > limit:
            raise RuntimeError(f"the stack did not start:\n{log.read_text()}")
        time.sleep(0.1)
