"""What a response takes is told in its headers, and exactly at the end of its events."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration import documents
from tests.integration.audio import decode
from tests.integration.servers import web_server
from tests.stack import Stack

PRICE = 120  # micro-credits for a second
HUM = {"model": "hum", "voice": "hum", "response_format": "wav"}


@pytest.fixture(scope="module")
def priced(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    log: Path = tmp_path_factory.mktemp("priced") / "server.log"
    with web_server(stack, log, LECTERN_PRICES=f"hum={PRICE}") as url:
        headers = {"authorization": f"Bearer {stack.api_key}"}
        with httpx.Client(base_url=url, headers=headers, timeout=120, trust_env=False) as client:
            yield client


def usage(api: httpx.Client, text: str) -> dict[str, Any]:
    body = {**HUM, "input": text, "stream_format": "sse"}
    events = api.post("/v1/audio/speech", json=body).raise_for_status().text.strip().split("\n\n")
    return dict(json.loads(events[-1].removeprefix("data: "))["usage"])


def until_kept(api: httpx.Client, text: str) -> httpx.Response:
    def speak() -> httpx.Response:
        return api.post("/v1/audio/speech", json={**HUM, "input": text}).raise_for_status()

    return documents.until(speak, lambda answer: "x-lectern-seconds" in answer.headers)


def test_new_speech_costs_its_seconds_and_kept_speech_nothing(priced: httpx.Client) -> None:
    text = f"Nobody has paid for {uuid4().hex} yet."
    new = usage(priced, text)
    assert new["characters"] == new["input_tokens"] == len(text)
    assert new["seconds"] == pytest.approx(len(text) / 10, abs=0.01)
    assert new["cost"] == pytest.approx(PRICE * new["seconds"], abs=1)
    assert new["total_tokens"] == new["input_tokens"] + new["output_tokens"]

    again = usage(priced, text)
    assert (again["seconds"], again["cost"]) == (new["seconds"], 0)


def test_headers_tell_an_estimate_of_what_is_new_and_the_truth_of_what_is_kept(priced: httpx.Client) -> None:
    text = f"Nobody has estimated {uuid4().hex} yet."
    new = priced.post("/v1/audio/speech", json={**HUM, "input": text}).raise_for_status()
    assert new.headers["x-lectern-characters"] == str(len(text))
    estimated = float(new.headers["x-lectern-estimated-seconds"])
    assert 1 < estimated < 20
    assert int(new.headers["x-lectern-estimated-cost"]) == pytest.approx(PRICE * estimated, abs=PRICE)

    kept = until_kept(priced, text)
    samples, rate = decode(kept.content)
    assert float(kept.headers["x-lectern-seconds"]) == pytest.approx(len(samples) / rate, abs=0.001)
    assert kept.headers["x-lectern-cost"] == "0"
