"""Helpers of tests with documents."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

R = TypeVar("R")

READY_SECONDS = 60


def make(api: httpx.Client, text: str, **fields: Any) -> dict[str, Any]:
    answer = api.post("/api/v1/documents", json={"text": text, **fields})
    assert answer.status_code == 201, answer.text
    return wait(api, answer.json()["id"])


def wait(api: httpx.Client, document_id: str) -> dict[str, Any]:
    limit = time.monotonic() + READY_SECONDS
    while True:
        document = dict(api.get(f"/api/v1/documents/{document_id}").raise_for_status().json())
        if document["status"] != "queued":
            return document
        assert time.monotonic() < limit, "the worker did not cut the document"
        time.sleep(0.05)


def blocks(api: httpx.Client, document_id: str) -> list[dict[str, Any]]:
    return list(api.get(f"/api/v1/documents/{document_id}/blocks").raise_for_status().json()["items"])


def until(ask: Callable[[], R], good: Callable[[R], bool]) -> R:
    """Asks until the answer is good."""
    limit = time.monotonic() + READY_SECONDS
    while not good(answer := ask()):
        assert time.monotonic() < limit, f"still {answer}"
        time.sleep(0.02)
    return answer
