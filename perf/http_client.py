"""A keep-alive HTTP/1.1 connection that does little beside sending and receiving."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

TIMEOUT_SECONDS: Final = 60


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    first_byte: float  # seconds from the request to the first byte of the body
    whole: float  # seconds from the request to the last


class Connection:
    def __init__(self, address: str, headers: dict[str, str] | None = None) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._headers = {"host": address, **(headers or {})}

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=1 << 20)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    async def ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in self._headers.items())]
        if body:
            lines += ["content-type: application/json", f"content-length: {len(body)}"]
        async with asyncio.timeout(TIMEOUT_SECONDS):
            start = time.perf_counter()
            self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            status, headers = self._head(await self._reader.readuntil(b"\r\n\r\n"))
            chunks: list[bytes] = []
            first_byte = 0.0
            if method != "HEAD":
                if "content-length" in headers:
                    chunks.append(await self._reader.readexactly(int(headers["content-length"])))
                elif headers.get("transfer-encoding") == "chunked":
                    while chunk := await self._chunk():
                        first_byte = first_byte or time.perf_counter() - start
                        chunks.append(chunk)
            whole = time.perf_counter() - start
        return Answer(status, headers, b"".join(chunks), first_byte or whole, whole)

    async def begin(self, path: str) -> tuple[int, dict[str, str]]:
        """Asks with GET; `chunks` then yields the body, and must be read to its end before anything else is asked."""
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in self._headers.items())]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        status, self._answer = self._head(await self._reader.readuntil(b"\r\n\r\n"))
        return status, self._answer

    async def chunks(self) -> AsyncIterator[bytes]:
        if "content-length" in self._answer:
            yield await self._reader.readexactly(int(self._answer["content-length"]))
        else:
            while chunk := await self._chunk():
                yield chunk

    async def _chunk(self) -> bytes:
        size = int((await self._reader.readline()).partition(b";")[0], 16)
        chunk = await self._reader.readexactly(size + 2)
        return chunk[:-2]

    @staticmethod
    def _head(data: bytes) -> tuple[int, dict[str, str]]:
        first, *lines = data.decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines if line)
        return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in fields}


def checked(answer: Answer) -> Answer:
    """Raises RuntimeError with what the server said, unless it answered with success."""
    if not 200 <= answer.status < 300:
        raise RuntimeError(f"The server answered {answer.status}: {answer.body[:500].decode(errors='replace')}")
    return answer
