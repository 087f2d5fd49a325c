"""Kokoro's measurement asks as a patient client does: what is refused for now is asked again, and counted."""

import asyncio
from collections.abc import Iterable

import pytest

from perf.kokoro import PATIENCE, ask_until_admitted
from perf.stack import Stack

BUSY = "503 Service Unavailable"


def ask(answers: Iterable[tuple[str, str]]) -> tuple[bytes, int]:
    """Asks a server that gives these answers, a status and further headers each, one after the other."""
    coming = iter(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"POST /v1/audio/speech")
        status, headers = next(coming)
        writer.write(f"HTTP/1.1 {status}\r\n{headers}content-length: 4\r\n\r\nRIFF".encode())
        await writer.drain()
        writer.close()

    async def whole() -> tuple[bytes, int]:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            found, refused = await ask_until_admitted(Stack(f"{host}:{port}", "key", "", {}), b"{}")
        return found.body, refused

    return asyncio.run(whole())


def test_who_is_refused_comes_back_and_is_counted() -> None:
    assert ask([(BUSY, "retry-after: 0\r\n"), ("429 Too Many", "retry-after: 0\r\n"), ("200 OK", "")]) == (b"RIFF", 2)


@pytest.mark.parametrize(
    "answer",
    [
        ("400 Bad Request", ""),
        (BUSY, ""),
        (BUSY, f"retry-after: {PATIENCE + 1:.0f}\r\n"),
    ],
)
def test_what_waiting_does_not_mend_is_an_error(answer: tuple[str, str]) -> None:
    with pytest.raises(RuntimeError, match=f"answered {answer[0][:3]}"):
        ask([answer])
