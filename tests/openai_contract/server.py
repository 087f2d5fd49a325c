"""The server that is tested, wherever it is."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

SENTENCE: Final = "The kettle sang on the stove, and outside the first snow of the year began to fall."
TIMEOUT: Final = 120.0  # seconds: hosted models may think


@dataclass(frozen=True)
class Server:
    url: str  # with its /v1
    key: str
    model: str
    voice: str
    remote: bool = False  # then a proxy may stand before it

    def client(self, key: str | None = None) -> httpx.Client:
        used = self.key if key is None else key
        headers = {"authorization": f"Bearer {used}"} if used else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=TIMEOUT, trust_env=self.remote)

    def body(self, **fields: Any) -> dict[str, Any]:
        """A good request, but for what is given; None leaves a field out."""
        whole = {"model": self.model, "voice": self.voice, "input": SENTENCE, **fields}
        return {name: value for name, value in whole.items() if value is not None}

    def speak(self, **fields: Any) -> httpx.Response:
        with self.client() as client:
            return client.post("/audio/speech", json=self.body(**fields))

    def heard(self, **fields: Any) -> httpx.Response:
        """The same, if it is audio."""
        answer = self.speak(**fields)
        assert answer.status_code == 200, answer.text
        return answer

    @contextmanager
    def streaming(self, **fields: Any) -> Iterator[httpx.Response]:
        with self.client() as client, client.stream("POST", "/audio/speech", json=self.body(**fields)) as answer:
            assert answer.status_code == 200, answer.read()
            yield answer


def server_of(environment: Mapping[str, str] = os.environ) -> Server | None:
    """The one that the environment names, if any."""
    url = environment.get("LECTERN_CONTRACT_URL", "").rstrip("/")
    if not url:
        return None
    named = {name: environment.get(f"LECTERN_CONTRACT_{name.upper()}", "") for name in ("key", "model", "voice")}
    server = Server(url, named["key"], named["model"], named["voice"] or "alloy", remote=True)
    if server.model:
        return server
    with server.client() as client:
        first = client.get("/models").raise_for_status().json()["data"][0]["id"]
    return replace(server, model=first)
