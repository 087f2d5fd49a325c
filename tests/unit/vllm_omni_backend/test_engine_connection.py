"""The backend's side of the socket: reports sorted by request, in order, and what a broken connection means."""

import queue
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from lectern_triton.higgs_engine import messages
from lectern_triton.vllm_omni_backend.engine_connection import (
    Connection,
    EngineGone,
    Gone,
    OutOfFrames,
    RequestFailed,
    Stream,
)
from lectern_triton.voice_backend.voice import BadRequest

LIMIT = 60.0


class Peer:
    """The engine's end of the socket."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        end.settimeout(LIMIT)

    def report(self, *reports: messages.Event) -> None:
        self.end.sendall(b"".join(map(messages.encode, reports)))

    def order(self) -> messages.Command:
        length = messages.body_length(self._exactly(messages.HEADER))
        return messages.decode_command(self._exactly(length))

    def _exactly(self, count: int) -> bytes:
        parts = b""
        while len(parts) < count:
            part = self.end.recv(count - len(parts))
            assert part, "the connection was closed"
            parts += part
        return parts


@pytest.fixture
def both() -> Iterator[tuple[Connection, Peer]]:
    ours, theirs = socket.socketpair()
    connection = Connection(ours)
    with theirs:
        yield connection, Peer(theirs)
    connection.close()


def heard(stream: Stream, patience: float = LIMIT) -> list[bytes]:
    return list(stream.samples(threading.Event(), patience))


def audio(request: int, number: int, samples: bytes = b"\0\0") -> messages.Audio:
    return messages.Audio(request, number, samples)


def test_reports_are_sorted_by_request(both: Any) -> None:
    connection, peer = both
    (first, one), (second, two) = connection.open(), connection.open()
    assert connection.running == 2
    peer.report(audio(first, 0, b"\1\0"), audio(second, 0, b"\2\0"), audio(first, 1, b"\3\0"))
    peer.report(
        *(messages.End(id=number, messages=count, complete=True) for number, count in ((first, 2), (second, 1)))
    )
    assert heard(two) == [b"\2\0"]
    assert heard(one) == [b"\1\0", b"\3\0"]
    assert connection.running == 0


@pytest.mark.parametrize(
    ("reports", "error", "reason"),
    [
        ([audio(0, 1)], RequestFailed, "1 in place of 0"),
        ([audio(0, 0), audio(0, 0)], RequestFailed, "0 in place of 1"),
        ([audio(0, 0), audio(0, 2)], RequestFailed, "2 in place of 1"),
        ([audio(0, 0, b"\0")], RequestFailed, "out of order"),
        (
            [audio(0, 0), messages.End(id=0, messages=2, complete=True)],
            RequestFailed,
            "1 messages with audio came of 2",
        ),
        ([messages.End(id=0, messages=1, complete=True)], RequestFailed, "0 messages with audio came of 1"),
        ([audio(0, 0), messages.End(id=0, messages=1, complete=False)], OutOfFrames, "its end"),
        ([messages.Failed(id=0, kind="bad_request", message="say more")], BadRequest, "say more"),
        ([messages.Failed(id=0, kind="failed", message="no memory")], RequestFailed, "no memory"),
        ([messages.Failed(id=0, kind="aborted", message="")], RequestFailed, "unasked"),
    ],
)
def test_what_is_missing_or_wrong_is_a_failure(both: Any, reports: list[Any], error: type, reason: str) -> None:
    connection, peer = both
    _, stream = connection.open()
    peer.report(*reports, messages.Failed(id=0, kind="aborted", message=""))
    with pytest.raises(error, match=reason):
        heard(stream)
    assert connection.running == 0


def test_who_stops_listening_has_it_aborted_and_waits_until_it_is(both: Any) -> None:
    connection, peer = both
    number, stream = connection.open()
    stop = threading.Event()
    got: queue.SimpleQueue[list[bytes]] = queue.SimpleQueue()
    listening = threading.Thread(target=lambda: got.put(list(stream.samples(stop, LIMIT))))
    listening.start()
    stop.set()
    assert peer.order() == messages.Abort(number)
    peer.report(audio(number, 0))  # was on its way
    assert listening.is_alive(), "its place in the engine is not free yet"
    assert connection.running == 1
    peer.report(messages.Failed(id=number, kind="aborted", message=""))
    assert got.get(timeout=LIMIT) == []
    listening.join(LIMIT)
    assert (connection.running, connection.aborted) == (0, 1)


def test_a_request_on_which_nothing_comes_is_given_up(both: Any) -> None:
    connection, peer = both
    number, stream = connection.open()
    peer.report(audio(number, 0))
    answering = threading.Thread(
        target=lambda: peer.report(messages.Failed(id=peer.order().id, kind="aborted", message=""))
    )
    answering.start()
    with pytest.raises(RequestFailed, match=r"no audio came for 0\.1 s"):
        heard(stream, patience=0.1)
    answering.join(LIMIT)


def test_an_engine_that_goes_takes_all_its_requests_with_it(both: Any) -> None:
    connection, peer = both
    _, stream = connection.open()
    peer.end.close()
    with pytest.raises(EngineGone, match="its process ended"):
        heard(stream)
    assert isinstance(connection.events.get(timeout=LIMIT), Gone)
    with pytest.raises(EngineGone, match="its process ended"):
        connection.open()


@pytest.mark.parametrize("nonsense", [b"\xff\xff\xff\xff", b"\0\0\0\1\xc1", messages.encode(messages.CheckHealth())])
def test_nonsense_ends_the_connection(both: Any, nonsense: bytes) -> None:
    connection, peer = both
    _, stream = connection.open()
    peer.end.sendall(nonsense)
    with pytest.raises(EngineGone, match="its connection broke"):
        heard(stream)


def test_an_engine_that_does_not_read_makes_nobody_wait(both: Any) -> None:
    connection, _ = both
    for _ in range(8):
        connection.send(messages.Start({"much": "x" * 1_000_000}))
    connection.fail("it hangs")
    with pytest.raises(EngineGone, match="it hangs"):
        connection.open()


def test_reports_on_what_nobody_waits_for_any_more_are_dropped(both: Any) -> None:
    connection, peer = both
    peer.report(audio(99, 0), messages.Health())
    assert connection.events.get(timeout=LIMIT) == messages.Health()
