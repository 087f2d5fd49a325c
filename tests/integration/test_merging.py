"""A segment that many ask for at the same moment is made once, by one process or by several."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest

from lectern.triton import Triton
from tests.integration import held
from tests.integration.audio import decode
from tests.integration.metrics import metric
from tests.integration.servers import web_server
from tests.own_triton import until
from tests.stack import Stack

LISTENERS = 12
LIMIT = 60.0  # seconds


def ask(url: str, key: str, text: str, voice: str = "silent") -> bytes:
    body: dict[str, Any] = {"model": "hum", "voice": voice, "input": text, "response_format": "flac"}
    headers = {"authorization": f"Bearer {key}"}
    answer = httpx.post(f"{url}/v1/audio/speech", json=body, headers=headers, timeout=60, trust_env=False)
    return answer.raise_for_status().content


def merged_at(urls: list[str]) -> float:
    return sum(metric(url, "lectern_segments_total", model="hum", source="merged") for url in urls)


def fresh_text() -> str:
    return f"Nobody has ever heard {uuid4().hex} hummed before."


def test_listeners_of_one_process_share_one_synthesis(stack: Stack) -> None:
    made = metric(stack.url, "lectern_segments_total", model="hum", source="made")
    merged = merged_at([stack.url])
    text = fresh_text()
    with ThreadPoolExecutor(LISTENERS) as threads, Triton(stack.triton_address) as triton:
        asked = [threads.submit(ask, stack.url, stack.api_key, text) for _ in range(LISTENERS)]
        until(lambda: merged_at([stack.url]) == merged + LISTENERS - 1, "all others have joined the first", LIMIT)
        held.release(triton, text)
        answers = [answer.result() for answer in asked]

    samples = [decode(answer)[0] for answer in answers]
    assert all(np.array_equal(samples[0], other) for other in samples[1:])
    assert metric(stack.url, "lectern_segments_total", model="hum", source="made") == made + 1
    assert merged_at([stack.url]) == merged + LISTENERS - 1


def test_listeners_of_two_processes_share_one_synthesis(stack: Stack, second_server: str) -> None:
    servers = [stack.url, second_server]
    made = sum(metric(url, "lectern_segments_total", model="hum", source="made") for url in servers)
    merged = merged_at(servers)
    text = fresh_text()
    with ThreadPoolExecutor(LISTENERS) as threads, Triton(stack.triton_address) as triton:
        asked = [threads.submit(ask, servers[number % 2], stack.api_key, text) for number in range(LISTENERS)]
        until(lambda: merged_at(servers) == merged + LISTENERS - 2, "one of each process asks for all others", LIMIT)
        held.release(triton, text)
        answers = [answer.result() for answer in asked]

    samples = [decode(answer)[0] for answer in answers]
    assert all(np.array_equal(samples[0], other) for other in samples[1:])
    assert sum(metric(url, "lectern_segments_total", model="hum", source="made") for url in servers) == made + 1
    awaited = sum(metric(url, "lectern_segments_total", model="hum", source="awaited") for url in servers)
    assert awaited >= 1


def test_a_listener_who_leaves_does_not_take_the_others_audio(stack: Stack) -> None:
    text = fresh_text()
    merged = merged_at([stack.url])
    body = {"model": "hum", "voice": "holding", "input": text, "response_format": "flac"}
    with ThreadPoolExecutor(1) as threads, Triton(stack.triton_address) as triton:
        with stack.http() as api, api.stream("POST", "/v1/audio/speech", json=body) as leaving:
            audio = leaving.iter_raw()  # the response ends when nobody has this any longer
            next(audio)
            staying = threads.submit(ask, stack.url, stack.api_key, text, "holding")
            until(lambda: merged_at([stack.url]) == merged + 1, "the other listens too", LIMIT)
        held.release(triton, text)
        samples, rate = decode(staying.result())
    assert len(samples) / rate > len(text) / 10 - 0.1


@pytest.fixture
def second_server(stack: Stack, tmp_path: Path) -> Iterator[str]:
    with web_server(stack, tmp_path / "second.log") as url:
        yield url
