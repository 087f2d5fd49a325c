"""A segment that many ask for at the same moment is made once, by one process or by several."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest

from tests.integration.audio import decode
from tests.integration.metrics import metric
from tests.integration.servers import web_server
from tests.stack import Stack

LISTENERS = 12


def ask(url: str, key: str, text: str, voice: str = "slow") -> bytes:
    body: dict[str, Any] = {"model": "hum", "voice": voice, "input": text, "response_format": "flac"}
    headers = {"authorization": f"Bearer {key}"}
    answer = httpx.post(f"{url}/v1/audio/speech", json=body, headers=headers, timeout=60, trust_env=False)
    return answer.raise_for_status().content


def fresh_text() -> str:
    return f"Nobody has ever heard {uuid4().hex} hummed before."


def test_listeners_of_one_process_share_one_synthesis(stack: Stack) -> None:
    made = metric(stack.url, "lectern_segments_total", model="hum", source="made")
    merged = metric(stack.url, "lectern_segments_total", model="hum", source="merged")
    text = fresh_text()
    with ThreadPoolExecutor(LISTENERS) as threads:
        answers = list(threads.map(lambda _: ask(stack.url, stack.api_key, text), range(LISTENERS)))

    samples = [decode(answer)[0] for answer in answers]
    assert all(np.array_equal(samples[0], other) for other in samples[1:])
    assert metric(stack.url, "lectern_segments_total", model="hum", source="made") == made + 1
    assert metric(stack.url, "lectern_segments_total", model="hum", source="merged") == merged + LISTENERS - 1


def test_listeners_of_two_processes_share_one_synthesis(stack: Stack, second_server: str) -> None:
    servers = [stack.url, second_server]
    made = sum(metric(url, "lectern_segments_total", model="hum", source="made") for url in servers)
    text = fresh_text()
    with ThreadPoolExecutor(LISTENERS) as threads:
        answers = list(threads.map(lambda n: ask(servers[n % 2], stack.api_key, text), range(LISTENERS)))

    samples = [decode(answer)[0] for answer in answers]
    assert all(np.array_equal(samples[0], other) for other in samples[1:])
    assert sum(metric(url, "lectern_segments_total", model="hum", source="made") for url in servers) == made + 1
    awaited = sum(metric(url, "lectern_segments_total", model="hum", source="awaited") for url in servers)
    assert awaited >= 1


def test_a_listener_who_leaves_does_not_take_the_others_audio(stack: Stack) -> None:
    text = fresh_text()
    with ThreadPoolExecutor(2) as threads:
        staying = threads.submit(ask, stack.url, stack.api_key, text)
        with (
            stack.http() as api,
            api.stream(
                "POST",
                "/v1/audio/speech",
                json={"model": "hum", "voice": "slow", "input": text, "response_format": "flac"},
            ) as leaving,
        ):
            next(leaving.iter_raw())
        samples, rate = decode(staying.result())
    assert len(samples) / rate > len(text) / 10 - 0.1


@pytest.fixture
def second_server(stack: Stack, tmp_path: Path) -> Iterator[str]:
    with web_server(stack, tmp_path / "second.log") as url:
        yield url
