"""OpenAI's own clients for Python, the blocking and the asynchronous one, by one set of names."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol, TypeVar

import openai

from tests.stack import Stack

T = TypeVar("T")
CHUNK: Final = 4_096


class Either(Protocol):
    def whole(self, **fields: Any) -> bytes: ...

    def chunks(self, **fields: Any) -> list[bytes]: ...

    def lines(self, **fields: Any) -> list[str]: ...

    def models(self) -> set[str]: ...


class Blocking:
    def __init__(self, url: str, key: str, retries: int = 0) -> None:
        self._client = openai.OpenAI(base_url=url, api_key=key, max_retries=retries)

    def whole(self, **fields: Any) -> bytes:
        return self._client.audio.speech.create(**fields).content

    def chunks(self, **fields: Any) -> list[bytes]:
        with self._client.audio.speech.with_streaming_response.create(**fields) as answer:
            return list(answer.iter_bytes(CHUNK))

    def lines(self, **fields: Any) -> list[str]:
        with self._client.audio.speech.with_streaming_response.create(**fields) as answer:
            return list(answer.iter_lines())

    def models(self) -> set[str]:
        return {model.id for model in self._client.models.list()}


class Asynchronous:
    """Each call has a client and a loop of its own, as connections do not pass from one loop to another."""

    def __init__(self, url: str, key: str, retries: int = 0) -> None:
        self._options: dict[str, Any] = {"base_url": url, "api_key": key, "max_retries": retries}

    def whole(self, **fields: Any) -> bytes:
        async def call(client: openai.AsyncOpenAI) -> bytes:
            return (await client.audio.speech.create(**fields)).content

        return self._run(call)

    def chunks(self, **fields: Any) -> list[bytes]:
        async def call(client: openai.AsyncOpenAI) -> list[bytes]:
            async with client.audio.speech.with_streaming_response.create(**fields) as answer:
                return [chunk async for chunk in answer.iter_bytes(CHUNK)]

        return self._run(call)

    def lines(self, **fields: Any) -> list[str]:
        async def call(client: openai.AsyncOpenAI) -> list[str]:
            async with client.audio.speech.with_streaming_response.create(**fields) as answer:
                return [line async for line in answer.iter_lines()]

        return self._run(call)

    def models(self) -> set[str]:
        async def call(client: openai.AsyncOpenAI) -> set[str]:
            return {model.id async for model in client.models.list()}

        return self._run(call)

    def _run(self, call: Callable[[openai.AsyncOpenAI], Coroutine[Any, Any, T]]) -> T:
        async def with_client() -> T:
            async with openai.AsyncOpenAI(**self._options) as client:
                return await call(client)

        return asyncio.run(with_client())


KINDS: Final[dict[str, type[Blocking | Asynchronous]]] = {"sync": Blocking, "async": Asynchronous}


def client_of(stack: Stack, kind: str, **options: Any) -> Either:
    return KINDS[kind](f"{stack.url}/v1", stack.api_key, **options)
