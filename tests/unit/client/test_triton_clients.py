"""The direct clients against a scripted Triton; each test holds for threads and for asyncio."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc
import msgspec
import numpy as np
import pytest

from lectern import Voicing, Word
from lectern.triton import (
    AsyncTriton,
    Busy,
    Cancelled,
    Card,
    CardVoice,
    DeadlineExceeded,
    InvalidRequest,
    Mark,
    ModelFailure,
    ModelLost,
    NotFound,
    Reference,
    Triton,
    TritonError,
    Unreachable,
    sync_connection,
)
from lectern.triton.channel import call_metadata
from tests.unit.client.either import Either
from tests.unit.client.fake_triton import FakeTriton, chunk, endless, fails, inputs, message, says

LIVENESS = 60.0  # seconds; far above what any of this takes


def test_chunks_come_in_order_with_their_marks(triton: Either) -> None:
    first, second = triton.collect("speak", "speaker", "hello")
    assert (first.audio.tolist(), first.sample_rate, first.marks) == ([1, 2, 3], 22050, [Mark(0, 3, 0, 5)])
    assert first.audio.dtype == np.int16
    assert (second.audio.tolist(), second.marks) == ([-4, -5], [])


def test_every_part_of_a_request_reaches_the_model(triton: Either, fake: FakeTriton) -> None:
    triton.collect(
        "speak",
        "speaker",
        "naïve",
        voice={"variant": "f2"},
        language="en-GB",
        speed=1.5,
        lexicon={"naïve": "naiv"},
        reference=Reference(np.array([1, -1], np.int16), 16000, "hm"),
        previous=Reference(np.array([2, -2], np.int16), 24000, "before"),
        markup=True,
        lane="batch",
        deadline=60.0,
    )
    card, request = fake.requests
    assert card.parameters["describe"].bool_param
    seen = inputs(request)
    assert seen.pop("reference_audio").tolist() == [1, -1]
    assert seen.pop("previous_audio").tolist() == [2, -2]
    assert seen == {
        "text": "naïve",
        "voice": '{"variant":"f2"}',
        "language": "en-GB",
        "speed": 1.5,
        "lexicon": '{"naïve":"naiv"}',
        "reference_rate": 16000,
        "reference_text": "hm",
        "previous_rate": 24000,
        "previous_text": "before",
    }
    assert request.parameters["lane"].string_param == "batch"
    assert request.parameters["markup"].bool_param is True
    assert request.parameters["deadline_ms"].int64_param == 60_000
    assert fake.seconds_left[-1] is not None
    assert 50 < fake.seconds_left[-1] < 65
    assert "triton_grpc_error" not in dict(fake.metadata)  # Triton 2.51 crashes of it


def test_what_is_left_out_is_not_sent(triton: Either, fake: FakeTriton) -> None:
    triton.collect("speak", "speaker", "hello")
    (request,) = fake.requests
    assert inputs(request) == {"text": "hello", "voice": "{}"}
    assert request.parameters["lane"].string_param == "live"
    assert "deadline_ms" not in request.parameters


def test_a_voice_prompt_of_half_a_minute_fits(triton: Either, fake: FakeTriton) -> None:
    prompt = np.zeros(30 * 96_000, np.int16)
    triton.collect("speak", "speaker", "hello", reference=Reference(prompt, 96_000))
    assert inputs(fake.requests[0])["reference_audio"].size == prompt.size


def test_card(triton: Either) -> None:
    card = triton.call("card", "speaker")
    assert (card.sample_rate, card.speeds, card.lexicon) == (22050, (0.5, 2.0), False)
    assert card.voices == [CardVoice(name="en-us", language="en-US", voice={"variant": "f2"})]


def test_words_come_in_seconds_with_their_audio(triton: Either) -> None:
    first, second = triton.collect("speak_timed", "speaker", "hello", speed=1.5)
    word = Word(word="hello", start=0.0, end=0.0001, text_start=0, text_end=5)
    assert (first.audio.tolist(), first.sample_rate, first.words) == ([1, 2, 3], 22050, [word])
    assert (second.audio.tolist(), second.words) == ([-4, -5], [])


def test_leaving_the_words_cancels_the_call(triton: Either, fake: FakeTriton) -> None:
    fake.scripts["long"] = endless(fake)
    triton.take(1, "speak_timed", "speaker", "long")
    assert fake.cancelled.wait(LIVENESS)


CARD = Card(
    22050,
    [CardVoice("a", "en-US", {"name": "a"}), CardVoice("b", "en-GB", {"name": "b"})],
    mixes=True,
    lexicon=True,
    seed=True,
)


@pytest.mark.parametrize("name", ["a(1)+b(3)", "b(3) + a", {"b": 0.75, "a": 0.25}])
def test_a_mix_has_the_parameters_and_the_language_of_its_voices(name: str | Mapping[str, float]) -> None:
    voice = CARD.voice(name)
    assert (voice.language, voice.voice) == ("en-GB", {"mix": {"a": 0.25, "b": 0.75}})


def test_a_mix_of_one_is_that_voice() -> None:
    assert CARD.voice("b(3)") == CARD.voice("b") == CARD.voices[1]


@pytest.mark.parametrize(
    ("name", "message"), [("c", "'c'"), ("a+c", "'c' to mix"), ("a(", "af_heart"), ("", "no voice")]
)
def test_voices_that_there_are_not(name: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        CARD.voice(name)
    with pytest.raises(InvalidRequest, match="no voice"):
        Card(22050, CARD.voices).voice("a+b")


def test_a_voicing_becomes_what_a_model_takes() -> None:
    voicing = Voicing("b", speed=1.5, lexicon={"x": "y"}, seed=7, instructions="Whisper.", lane="batch")
    assert CARD.options(voicing) == {
        "voice": {"name": "b", "seed": 7},
        "language": "en-GB",
        "speed": 1.5,
        "speeds": (1.0, 1.0),
        "lexicon": {"x": "y"},
        "markup": False,
        "lane": "batch",
    }
    assert CARD.options(Voicing(language="de"))["language"] == "de"
    assert CARD.options(Voicing())["voice"] == {}
    with pytest.raises(InvalidRequest, match="normalization"):
        CARD.options(Voicing(normalization={"urls": False}))
    with pytest.raises(InvalidRequest, match="markup"):
        CARD.options(Voicing(markup=True))
    assert msgspec.structs.replace(CARD, markup=True).options(Voicing(markup=True))["markup"] is True


def test_models_say_whether_they_are_ready_and_speak(triton: Either) -> None:
    models = {model.name: model for model in triton.call("models")}
    assert {name for name, model in models.items() if model.ready} == {"bare", "gone", "speaker"}
    assert {name for name, model in models.items() if model.speaks} == {"speaker"}
    assert models["broken"].reason == "no weights"


def test_probe_measures_real_audio(triton: Either) -> None:
    probe = triton.call("probe", "speaker")
    assert (probe.samples, probe.sample_rate) == (5, 22050)
    assert 0 < probe.first_chunk_seconds <= probe.seconds


def test_probe_fails_for_a_silent_model(triton: Either, fake: FakeTriton) -> None:
    fake.scripts["ready"] = lambda *_: iter([chunk([]), message(final=True)])
    with pytest.raises(ModelFailure, match="without any audio"):
        triton.call("probe", "speaker")


def test_load_and_unload(triton: Either, fake: FakeTriton) -> None:
    triton.call("load", "speaker")
    triton.call("unload", "speaker")
    triton.call("unload", "speaker", unload_dependents=True)
    assert fake.unloaded == [("speaker", False), ("speaker", True)]
    with pytest.raises(ModelFailure, match="no weights"):
        triton.call("load", "broken")
    with pytest.raises(NotFound):
        triton.call("load", "nowhere")


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize(
    ("code", "details", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "text is empty", InvalidRequest),
        (grpc.StatusCode.UNAVAILABLE, "the live queue is full", Busy),
        (grpc.StatusCode.UNAVAILABLE, "the deadline passed", Busy),
        (grpc.StatusCode.UNAVAILABLE, "Server exiting", Unreachable),
        (grpc.StatusCode.NOT_FOUND, "no such model", NotFound),
        (grpc.StatusCode.CANCELLED, "the client left", Cancelled),
        (grpc.StatusCode.INTERNAL, "Stub process is not healthy", ModelLost),
        (grpc.StatusCode.UNKNOWN, "what", ModelLost),
    ],
)
def test_a_status_becomes_its_error(
    triton: Either, fake: FakeTriton, code: grpc.StatusCode, details: str, kind: type[TritonError], after: int
) -> None:
    fake.scripts["hello"] = fails(code, details, after=after)
    with pytest.raises(TritonError, match=details) as raised:
        triton.collect("speak", "speaker", "hello")
    assert type(raised.value) is kind
    assert raised.value.model == "speaker"


@pytest.mark.parametrize(
    ("text", "from_model", "kind"),
    [
        ("Request for unknown model: 'x' is not found", False, NotFound),
        ("Request for unknown model: 'x' has no available versions", False, NotFound),
        ("expected 2 inputs but got 1", False, InvalidRequest),
        ("Server is stopping, scheduler for model has stopped", False, Unreachable),
        ("Stub process 'espeak_0_0' is not healthy.", True, ModelLost),
    ],
)
def test_a_message_without_a_status_becomes_an_error_too(
    triton: Either, fake: FakeTriton, text: str, kind: type[TritonError], *, from_model: bool
) -> None:
    fake.scripts["hello"] = says(text, from_model=from_model)
    with pytest.raises(TritonError, match=text) as raised:
        triton.collect("speak", "speaker", "hello")
    assert type(raised.value) is kind


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize(
    ("name", "kind"),
    [("INVALID_ARG", InvalidRequest), ("UNAVAILABLE", Busy), ("CANCELLED", Cancelled), ("INTERNAL", ModelFailure)],
)
def test_a_model_states_the_kind_of_its_error(
    triton: Either, fake: FakeTriton, name: str, kind: type[TritonError], after: int
) -> None:
    fake.scripts["hello"] = says(f"{name}: this: went wrong", from_model=True, after=after)
    with pytest.raises(TritonError) as raised:
        triton.collect("speak", "speaker", "hello")
    assert type(raised.value) is kind
    assert str(raised.value) == "speaker: this: went wrong"


def test_an_answer_without_its_end_is_an_error(triton: Either, fake: FakeTriton) -> None:
    fake.scripts["hello"] = lambda *_: iter([chunk([1, 2, 3])])
    with pytest.raises(ModelFailure, match="before its end"):
        triton.collect("speak", "speaker", "hello")


@pytest.mark.parametrize(
    "outputs",
    [
        {"sample_rate": struct.pack("<i", 22050)},
        {"audio": b"\0\0"},
        {"audio": b"\0\0", "sample_rate": struct.pack("<i", 22050), "marks": b"\x09\0\0\0[]"},
        {"audio": b"\0\0", "sample_rate": struct.pack("<i", 22050), "marks": b"\x03\0\0\0[1]"},
    ],
)
def test_an_answer_that_breaks_the_contract_is_the_models_failure(
    triton: Either, fake: FakeTriton, outputs: dict[str, bytes]
) -> None:
    fake.scripts["hello"] = lambda *_: iter([message(final=True, **outputs)])
    with pytest.raises(ModelFailure, match="speech contract"):
        triton.collect("speak", "speaker", "hello")


def test_text_that_is_not_unicode_is_refused_before_it_is_sent(triton: Either, fake: FakeTriton) -> None:
    with pytest.raises(InvalidRequest, match="surrogate"):
        triton.collect("speak", "speaker", "a\ud800b")
    with pytest.raises(InvalidRequest, match="surrogate"):
        triton.collect("speak", "speaker", "a", voice={"name": "\udfff"})
    assert fake.requests == []


def test_leaving_the_iterator_cancels_the_call(triton: Either, fake: FakeTriton) -> None:
    fake.scripts["long"] = endless(fake)
    (first,) = triton.take(1, "speak", "speaker", "long")
    assert first.audio.size == 3
    assert fake.cancelled.wait(LIVENESS)


def test_the_deadline_ends_a_call_to_a_model_that_hangs(triton: Either, fake: FakeTriton) -> None:
    fake.scripts["long"] = endless(fake)
    with pytest.raises(DeadlineExceeded):
        triton.collect("speak", "speaker", "long", deadline=0.1)
    assert fake.cancelled.wait(LIVENESS)


def test_a_request_that_gives_no_sign_of_life_is_lost(
    triton: Either, fake: FakeTriton, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lectern_contract.SILENCE", 0.3)
    fake.scripts["lost"] = endless(fake)
    with pytest.raises(ModelFailure, match="no sign of life"):
        triton.collect("speak", "speaker", "lost")


def test_a_deadline_that_has_passed_sends_nothing(triton: Either, fake: FakeTriton) -> None:
    with pytest.raises(DeadlineExceeded):
        triton.collect("speak", "speaker", "hello", deadline=0.0)
    assert fake.requests == []


def test_nobody_at_the_address(connect: Callable[..., Either]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        triton = connect(f"127.0.0.1:{unused.getsockname()[1]}")
        for call in ("models", "server_version"):
            with pytest.raises(Unreachable):
                triton.call(call)
        with pytest.raises(Unreachable):
            triton.call("probe", "speaker")
        assert triton.call("server_ready") is False


def test_an_address_that_accepts_but_never_answers(connect: Callable[..., Either]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        triton = connect(f"127.0.0.1:{mute.getsockname()[1]}", connect_timeout=0.2)
        with pytest.raises(Unreachable):
            triton.call("probe", "speaker", LIVENESS)


def test_an_unknown_host(connect: Callable[..., Either]) -> None:
    with pytest.raises(Unreachable):
        connect("nowhere.invalid:8001").call("models")


def test_a_connection_that_breaks_in_the_middle(connect: Callable[..., Either], fake: FakeTriton) -> None:
    with Cable(fake.port) as cable:

        def script(request: object, context: grpc.ServicerContext) -> Iterator[object]:
            rest = endless(fake)(request, context)
            yield next(rest)
            cable.cut()
            yield from rest

        fake.scripts["long"] = script
        with pytest.raises(Unreachable):
            connect(f"127.0.0.1:{cable.port}").collect("speak", "speaker", "long")


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1", "http://127.0.0.1:8001", "host:port", ":8001", "host:70000", "unix:grpc", "unix://grpc"],
)
@pytest.mark.parametrize("kind", [Triton, AsyncTriton])
def test_an_address_is_host_and_port_or_a_socket(kind: type[Triton | AsyncTriton], address: str) -> None:
    with pytest.raises(ValueError, match=r"host:port .* unix:/path"):
        kind(address)


@pytest.mark.parametrize("name", ["grpc:0", "a b", "50%41", "a#b?c", "ü"])
def test_a_socket_may_have_any_path(connect: Callable[..., Either], tmp_path: Path, name: str) -> None:
    fake = FakeTriton(tmp_path / name)
    try:
        assert (tmp_path / name).is_socket()
        assert connect(f"unix:{tmp_path / name}").call("server_version") == "2.51.0"
    finally:
        fake.stop()


CALLS: list[tuple[str, ...]] = [
    ("server_version",),
    ("models",),
    ("load", "speaker"),
    ("unload", "speaker"),
    ("card", "speaker"),
    ("probe", "speaker"),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call[0])
def test_a_secret_goes_with_every_call(connect: Callable[..., Either], fake: FakeTriton, call: tuple[str, ...]) -> None:
    fake.secret = "s3cret=/+"
    method, *arguments = call
    connect(fake.address, secret=fake.secret).call(method, *arguments)
    for given in (None, "another"):
        with pytest.raises(TritonError, match="asks for another secret") as refused:
            connect(fake.address, secret=given).call(method, *arguments)
        assert not isinstance(refused.value, Busy), "to wait would not help"


def test_the_secret_beside_a_socket_is_found(tmp_path: Path) -> None:
    address = f"unix:{tmp_path / 'grpc:0'}"
    assert call_metadata(address, None) == ()
    (tmp_path / "secret").write_text("s3cret\n")
    (header,) = call_metadata(address, "")
    assert header[1] == "s3cret"
    assert call_metadata(address, "another")[0] == (header[0], "another")
    assert call_metadata("127.0.0.1:8001", None) == ()


@pytest.mark.parametrize("secret", ["two\nlines", "ü", " around "])
@pytest.mark.parametrize("kind", [Triton, AsyncTriton])
def test_a_secret_can_be_a_header(kind: type[Triton | AsyncTriton], secret: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        kind("127.0.0.1:8001", secret=secret)


def test_a_cancelled_task_cancels_the_call(fake: FakeTriton) -> None:
    fake.scripts["long"] = endless(fake)

    async def scenario() -> None:
        async with AsyncTriton(fake.address) as triton:
            started = asyncio.Event()

            async def listen() -> None:
                async with aclosing(triton.speak("speaker", "long")) as chunks:
                    async for _ in chunks:
                        started.set()

            task = asyncio.create_task(listen())
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(fake.cancelled.wait, LIVENESS)

    asyncio.run(scenario())


def test_closing_the_client_ends_its_calls_with_an_error(fake: FakeTriton) -> None:
    fake.scripts["long"] = endless(fake)

    async def scenario() -> None:
        triton = AsyncTriton(fake.address)
        async with aclosing(triton.speak("speaker", "long")) as chunks:
            await anext(chunks)
            await triton.close()
            with pytest.raises(Cancelled):
                await anext(chunks)

    asyncio.run(scenario())


class Cable:
    """A way to a port of this machine that can be cut; carries one connection."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._connect)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        for thread in self._threads:
            thread.join()
        for end in (self._listener, *self._ends):
            end.close()

    def cut(self) -> None:
        for end in self._ends:
            with suppress(OSError):  # it may have ended by itself
                end.shutdown(socket.SHUT_RDWR)

    def _connect(self) -> None:
        self._listener.settimeout(LIVENESS)
        near, _ = self._listener.accept()
        far = socket.create_connection(("127.0.0.1", self._target))
        self._ends += [near, far]
        self._threads += [threading.Thread(target=_pump, args=ends) for ends in ((near, far), (far, near))]
        for thread in self._threads[1:]:
            thread.start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):  # how a cut cable ends
        while data := source.recv(65536):
            sink.sendall(data)


def test_an_answer_read_to_its_end_is_not_cancelled(fake: FakeTriton, monkeypatch: pytest.MonkeyPatch) -> None:
    read, told = sync_connection._read, threading.Event()

    def slow_to_end(*args: Any) -> None:
        read(*args)
        told.wait(10)

    monkeypatch.setattr(sync_connection, "_read", slow_to_end)
    with Triton(fake.address) as client:
        assert list(client.speak("speaker", "hello"))
    told.set()
    assert len(fake.requests) == 1


def hum(request: Any, context: Any) -> Iterator[Any]:  # noqa: ARG001
    """A second of a sine in four chunks, with a word in the middle of each."""
    samples = (8_000 * np.sin(np.arange(22_000) / 20)).astype(int).tolist()
    for first in range(0, 22_000, 5_500):
        yield chunk(samples[first : first + 5_500], [Mark(first + 1_000, first + 5_000, 0, 3)])
    yield message(final=True)


@pytest.mark.parametrize(("speed", "asked", "length"), [(4.0, 2.0, 11_000), (2.0, 2.0, 22_000), (0.25, 0.5, 44_000)])
def test_what_a_model_does_not_speak_itself_is_stretched(
    triton: Either, fake: FakeTriton, speed: float, asked: float, length: int
) -> None:
    fake.scripts["hum"] = hum
    chunks = triton.collect("speak", "speaker", "hum", speed=speed)
    assert inputs(fake.requests[-1])["speed"] == asked
    assert sum(one.audio.size for one in chunks) == length
    marks = [mark for one in chunks for mark in one.marks]
    assert [mark[2:] for mark in marks] == [(0, 3)] * 4
    edges = [sample for mark in marks for sample in mark[:2]]
    assert edges == sorted(edges)
    assert edges[-1] <= length


def test_a_models_speeds_are_asked_for_once_and_only_if_they_are_needed(triton: Either, fake: FakeTriton) -> None:
    def described() -> int:
        return sum(request.parameters["describe"].bool_param for request in fake.requests)

    triton.collect("speak", "speaker", "hello")
    triton.collect("speak", "speaker", "hello", speed=1.0)
    triton.collect("speak", "speaker", "hello", speed=2.0, speeds=(1.0, 2.0))
    assert described() == 0
    for _ in range(2):
        triton.collect("speak", "speaker", "hello", speed=2.0)
    assert described() == 1


@pytest.mark.parametrize("speed", [0.0, -1.0, 0.2, 4.5, float("nan"), float("inf")])
def test_a_speed_that_nobody_speaks_is_refused(triton: Either, fake: FakeTriton, speed: float) -> None:
    with pytest.raises(InvalidRequest, match=r"between 0\.25 and 4"):
        triton.collect("speak", "speaker", "hello", speed=speed)
    assert all(request.parameters["describe"].bool_param for request in fake.requests)
