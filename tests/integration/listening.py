"""Clients that play documents, over a WebSocket or over events."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.integration import documents

TIMEOUT = 60  # seconds
Message = dict[str, Any]


def document_of(api: httpx.Client, count: int) -> list[str]:
    """Makes a document with ``count`` new blocks of some 3 s each. Returns its id, then the ids of its blocks."""
    parts = [f"# Part {number}\n\nNew is {uuid4().hex[:12]}." for number in range(count)]
    document = documents.make(api, "\n\n".join(parts))
    assert document["blocks"] == count
    return [document["id"], *(block["id"] for block in documents.blocks(api, document["id"]))]


def events_url(document: str, **query: Any) -> str:
    return f"/api/v1/documents/{document}/playback?{urlencode({'model': 'hum', **query})}"


class SocketListener:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.heard: list[Message] = []

    def send(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def next(self) -> Message:
        message: Message = json.loads(self.connection.recv(timeout=TIMEOUT))
        self.heard.append(message)
        return message

    def until(self, wanted: Callable[[Message], bool]) -> Message:
        return until(self.next, wanted)

    def ready(self, block: str) -> Message:
        return ready(self, block)

    def states(self, block: str) -> list[str]:
        return states(self.heard, block)


@contextmanager
def socket_listener(url: str, key: str | None, document: str, **query: Any) -> Iterator[SocketListener]:
    address = url.replace("http", "ws", 1) + f"/api/v1/documents/{document}/playback/socket"
    headers = {"authorization": f"Bearer {key}"} if key else {}
    with connect(
        f"{address}?{urlencode({'model': 'hum', **query})}", additional_headers=headers, proxy=None
    ) as connection:
        yield SocketListener(connection)


class EventListener:
    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.heard: list[Message] = []
        self.ids: list[int] = []
        self._lines = answer.iter_lines()

    def next(self) -> Message:
        for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "id":
                self.ids.append(int(value))
            if name == "data":
                message: Message = json.loads(value)
                self.heard.append(message)
                return message
        raise AssertionError("the events ended")

    def until(self, wanted: Callable[[Message], bool]) -> Message:
        return until(self.next, wanted)

    def ready(self, block: str) -> Message:
        return ready(self, block)


@contextmanager
def event_listener(api: httpx.Client, document: str, **query: Any) -> Iterator[EventListener]:
    with api.stream("GET", events_url(document, **query)) as answer:
        if answer.status_code != 200:
            answer.read()
        yield EventListener(answer)


def until(following: Callable[[], Message], wanted: Callable[[Message], bool]) -> Message:
    """Returns the next message that is wanted; the listener keeps those before it."""
    limit = time.monotonic() + TIMEOUT
    while time.monotonic() < limit:
        message = following()
        if wanted(message):
            return message
    raise AssertionError("the message did not come")


def ready(player: SocketListener | EventListener, block: str) -> Message:
    """Returns the message that the block is ready, heard already or not: blocks may be ready in any order."""
    wanted = is_state(block, "ready")
    return next(filter(wanted, player.heard), None) or player.until(wanted)


def is_state(block: str, state: str) -> Callable[[Message], bool]:
    return lambda message: (message.get("block"), message.get("state")) == (block, state)


def states(heard: list[Message], block: str) -> list[str]:
    return [message["state"] for message in heard if message.get("block") == block]


def wait(condition: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < limit, what
        time.sleep(0.05)
