"""Drives the clients for threads and for asyncio alike, so that one test holds for both."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, closing
from types import TracebackType
from typing import Any, Self


class Threads:
    def __init__(self, client: Any) -> None:
        self.client = client

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.client, method)(*args, **kwargs)

    def collect(self, method: str, *args: Any, **kwargs: Any) -> list[Any]:
        return list(getattr(self.client, method)(*args, **kwargs))

    def take(self, count: int, method: str, *args: Any, then: Callable[[], object] = lambda: None) -> list[Any]:
        """Reads `count` items, calls `then`, and leaves the iterator before its end."""
        with closing(getattr(self.client, method)(*args)) as items:
            taken = [next(items) for _ in range(count)]
            then()
            return taken

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()


class Asyncio:
    def __init__(self, client: Any) -> None:
        self.client = client
        self._runner = asyncio.Runner()

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self._runner.run(getattr(self.client, method)(*args, **kwargs))

    def collect(self, method: str, *args: Any, **kwargs: Any) -> list[Any]:
        async def collect() -> list[Any]:
            return [item async for item in getattr(self.client, method)(*args, **kwargs)]

        return self._runner.run(collect())

    def take(self, count: int, method: str, *args: Any, then: Callable[[], object] = lambda: None) -> list[Any]:
        async def take() -> list[Any]:
            async with aclosing(getattr(self.client, method)(*args)) as items:
                taken = [await anext(items) for _ in range(count)]
                then()
                return taken

        return self._runner.run(take())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self.client.close())
        self._runner.close()


Either = Threads | Asyncio
