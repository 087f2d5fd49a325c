"""`python -m orchestrator guard` as a process, beside a Triton that is not there."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from orchestrator.embedded.ports import free_port

ROOT = Path(__file__).parents[3]
LIMIT = 60.0  # seconds, against a hang


@contextmanager
def guard(port: int, **environment: str) -> Iterator[subprocess.Popen[str]]:
    settings = {
        "TRITON_URL": f"127.0.0.1:{free_port()}",
        "LECTERN_GUARD_LISTEN": f"127.0.0.1:{port}",
        "LECTERN_GUARD_MODELS": "espeak=,kokoro=kokoro_g2p+kokoro_acoustic",
        **environment,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "guard"],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def until_it_answers(url: str, process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + LIMIT
    while True:
        assert process.poll() is None
        assert time.monotonic() < end
        try:
            if httpx.get(f"{url}/healthz", trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)


def test_it_lives_and_tells_that_triton_is_away() -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with guard(port) as process:
        until_it_answers(url, process)
        answer = httpx.get(f"{url}/readyz", trust_env=False)
        assert answer.status_code == 503
        assert [(one["model"], one["state"]) for one in answer.json()["models"]] == [
            ("espeak", "unknown"),
            ("kokoro", "unknown"),
        ]
        assert "lectern_model_probe_age_seconds" in httpx.get(f"{url}/metrics", trust_env=False).text
        process.send_signal(signal.SIGTERM)
        assert process.wait(LIMIT) in (0, -signal.SIGTERM)


def test_an_address_in_use_ends_it_and_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with guard(port) as process:
            output, _ = process.communicate(timeout=LIMIT)
            assert process.returncode > 0
            assert f"('127.0.0.1', {port})" in output
            assert "address already in use" in output


@pytest.mark.parametrize(
    ("variable", "value"), [("LECTERN_GUARD_MODELS", "espeak;kokoro"), ("LECTERN_MODEL_LIMITS", "espeak=3")]
)
def test_a_setting_that_cannot_be_used_ends_it_and_is_told_in_a_line(variable: str, value: str) -> None:
    with guard(free_port(), **{variable: value}) as process:
        output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 2
    assert output.startswith(f"{variable} cannot be used: ")
    assert output.count("\n") == 1
