"""A long document that is cached: how soon it is heard, what it declares, what happens where the store lacks a part."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pytest

from lectern.triton import Chunk
from orchestrator.accounts.requester import Requester
from orchestrator.audio.formats import AudioFormat, Sound
from orchestrator.audio.pcm import Samples
from orchestrator.billing.prices import Prices
from orchestrator.guard.reports import Reports
from orchestrator.lib import database
from orchestrator.lib.database import DB, run
from orchestrator.lib.environment import Secret
from orchestrator.lib.leases import Leases
from orchestrator.lib.object_store import Store
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.lib.settings import DatabaseSettings
from orchestrator.speech.admission.admission_controller import AdmissionController
from orchestrator.speech.cache.audio_cache import AudioCache
from orchestrator.speech.cache.index import CacheIndex
from orchestrator.speech.cache.names import AudioName, path_of
from orchestrator.speech.cache.segment_file import LENGTH_BYTES, CachedAudio, Length
from orchestrator.speech.planner.script import Origin, Script, Segment
from orchestrator.speech.service import SpeechService
from orchestrator.speech.settings import AdmissionSettings, SpeechSettings
from orchestrator.speech.synthesis.synthesizer import Synthesizer
from tests.integration import s3
from tests.integration.audio import decode
from tests.integration.own_database import OwnDatabase, own_database
from tests.stack import Stack
from tests.unit.audio.sounds import voice
from tests.unit.speech.syntheses import ListMeter

pytestmark = pytest.mark.anyio

RATE = 24_000
LONG = 100  # segments
REQUESTER = Requester(account=UUID(int=1), plan="local")
WITH_LENGTH: list[AudioFormat] = ["wav", "flac", "mp3"]


def spoken(number: int) -> Samples:
    return voice(RATE + 100 * number % 5_000, RATE)


def segment(number: int) -> Segment:
    key = f"{zlib.crc32(bytes([number % 256])):08x}{number:056x}"
    return Segment(key=key, text=str(number), model="hum", voice={}, language="en", speed=1.0)


class Model:
    """Speaks each segment as it was spoken before, but for ``more`` samples."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.more = 0

    async def speak(self, _: str, text: str, **__: Any) -> AsyncGenerator[Chunk, None]:
        self.asked.append(text)
        samples = spoken(int(text))
        longer = np.concatenate([samples, np.ones(max(0, self.more), np.int16)])
        for part in np.array_split(longer[: len(samples) + self.more], 5):
            yield Chunk(part, RATE, [])


class Counting(Store):
    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.reads: list[str] = []

    async def read(self, path: str, *, first: int | None = None) -> bytes | None:
        self.reads.append(path)
        return await super().read(path, first=first)

    async def size(self, path: str) -> int | None:
        self.reads.append(path)
        return await super().size(path)


class Process:
    """What a web process has of speech, over a store and a database that belong to these tests."""

    def __init__(self, store: Counting, folder: Path, threads: PriorityThreads) -> None:
        self.store = store
        self.folder = folder
        self.model = Model()
        self.index = CacheIndex()
        self.cache = AudioCache(store, threads, self.index)
        admission = AdmissionController(AdmissionSettings(), deadline=60, slots=lambda _: 2, encoder=threads)
        model: Any = self.model
        self.synthesizer = Synthesizer(model, self.cache, Leases(), admission, ListMeter(), Reports())
        self.speech = SpeechService(
            synthesizer=self.synthesizer,
            admission=admission,
            cache=self.cache,
            threads=threads,
            prices=Prices({}),
            settings=SpeechSettings(),
        )

    async def cached(self, count: int) -> Script:
        segments = [segment(number) for number in range(count)]
        for number, one in enumerate(segments):
            await self.cache.write(one.key, CachedAudio(spoken(number), RATE, []))
        return Script(segments, [Origin(text=one.text) for one in segments], count)

    async def body(self, script: Script, audio_format: AudioFormat) -> bytes:
        audio = self.speech.audio(script, Sound(audio_format), REQUESTER)
        return b"".join([data async for data in audio])

    def damage(self, number: int, how: Callable[[bytes], bytes | None]) -> None:
        file = self.folder / path_of(segment(number).key, "flac")
        changed = how(file.read_bytes())
        if changed is None:
            file.unlink()
        else:
            file.write_bytes(changed)


async def all_stored(process: Process, script: Script) -> bool:
    return None not in [await process.cache.read(one.key) for one in script.segments]


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """A response may end a moment before what was made for it is stored and indexed."""
    async with asyncio.timeout(60):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def own(stack: Stack) -> Iterator[OwnDatabase]:
    with own_database(stack) as made:
        yield made


@pytest.fixture(params=["folder", "s3"])
async def process(
    request: pytest.FixtureRequest, own: OwnDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Process]:
    with ExitStack() as stack:
        url, folder = (tmp_path / "store").as_uri(), tmp_path / "store"
        if request.param == "s3":
            if not s3.PROGRAM:
                pytest.skip("LECTERN_TEST_S3 names no server")
            environment = stack.enter_context(s3.s3(tmp_path / "s3"))
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            url, folder = environment["STORE_URL"], tmp_path / "s3" / "bucket" / "audio"
        threads = PriorityThreads(2)
        stack.callback(threads.close)
        async with database.pool(DatabaseSettings(url=Secret(own.url))):
            await run("TRUNCATE cached_segment, lease")
            made = Process(Counting(url), folder, threads)
            yield made
            await made.synthesizer.close()


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    ask = DB.run_querystring

    async def counted(querystring: Any, *arguments: Any, **options: Any) -> Any:
        asked.append(str(querystring))
        return await ask(querystring, *arguments, **options)

    monkeypatch.setattr(DB, "run_querystring", counted)
    return asked


@pytest.mark.parametrize("tempo", [1.0, 1.5, 0.5])
async def test_tempo_and_pauses_are_the_same_live_and_cached_and_in_the_files_of_the_segments(
    process: Process, tempo: float
) -> None:
    segments = [msgspec.structs.replace(segment(number), tempo=tempo, pause=0.2 * number) for number in range(3)]
    script = Script(segments, [Origin(text=one.text) for one in segments], 3)
    live = decode(await process.body(script, "wav"))[0]
    await until(lambda: all_stored(process, script))
    assert len(process.model.asked) == 3
    lengths = [one.rendition.length(Length(len(spoken(number)), RATE)) for number, one in enumerate(segments)]
    assert len(live) == sum(length.samples for length in lengths)
    seconds = len(live) / RATE
    assert await process.speech.lengths(script).seconds() == pytest.approx(seconds)
    assert await process.speech.synthesize(script, REQUESTER) == pytest.approx(seconds)

    data = await process.body(script, "wav")
    assert np.array_equal(decode(data)[0], live)
    assert int.from_bytes(data[40:44], "little") == 2 * len(live), "declared"
    files = [await process.cache.encoded(AudioName(one.key, Sound("flac"), one.rendition)) for one in segments]
    assert np.array_equal(np.concatenate([decode(file or b"")[0] for file in files]), live)
    assert len(process.model.asked) == 3


@pytest.mark.parametrize("audio_format", [*WITH_LENGTH, "opus"])
async def test_the_first_byte_costs_one_query_and_the_reads_of_the_window(
    process: Process, queries: list[str], audio_format: AudioFormat
) -> None:
    script = await process.cached(LONG)
    queries.clear()
    process.store.reads.clear()
    audio = process.speech.audio(script, Sound(audio_format), REQUESTER)
    assert await anext(audio)
    assert len(queries) == (audio_format in WITH_LENGTH)
    ahead = [path_of(one.key, "flac") for one in script.segments[: SpeechSettings().segments_ahead + 1]]
    assert process.store.reads == ahead
    await audio.aclose()


async def test_the_headers_of_usage_and_the_audio_share_one_query(process: Process, queries: list[str]) -> None:
    script = await process.cached(20)
    queries.clear()
    process.store.reads.clear()
    lengths = process.speech.lengths(script)
    headers = await process.speech.usage_headers(script, lengths)
    audio = process.speech.audio(script, Sound("wav"), REQUESTER, lengths=lengths)
    samples, _ = decode(b"".join([data async for data in audio]))
    assert len(samples) / RATE == pytest.approx(float(headers["x-lectern-seconds"]), abs=0.001)
    assert len(queries) == 1
    assert len(process.store.reads) == 20


@pytest.mark.parametrize("audio_format", WITH_LENGTH)
async def test_the_whole_is_as_long_as_declared(process: Process, audio_format: AudioFormat) -> None:
    script = await process.cached(20)
    heard, _ = decode(await process.body(script, audio_format))
    expected = np.concatenate([spoken(number) for number in range(20)])
    assert len(heard) == len(expected)
    if audio_format != "mp3":
        assert np.array_equal(heard, expected)
    assert process.model.asked == []


DAMAGE: dict[str, Callable[[bytes], bytes | None]] = {
    "gone": lambda _: None,
    "empty": lambda _: b"",
    "junk": lambda whole: b"\x55" * len(whole),
    "half": lambda whole: whole[: len(whole) // 2],
    "a bit of the samples": lambda whole: flipped(whole, len(whole) // 2),
    "a bit of the header": lambda whole: flipped(whole, 20),
    "a bit of the marks": lambda whole: flipped(whole, LENGTH_BYTES),
}


def flipped(whole: bytes, place: int) -> bytes:
    return whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]


@pytest.mark.parametrize("how", DAMAGE)
async def test_what_the_store_lacks_is_made_anew_within_the_response(process: Process, how: str) -> None:
    script = await process.cached(6)
    for number in (0, 4):
        process.damage(number, DAMAGE[how])
    expected = np.concatenate([spoken(number) for number in range(6)])
    heard, _ = decode(await process.body(script, "wav"))
    assert np.array_equal(heard, expected)
    assert sorted(process.model.asked) == ["0", "4"]
    await until(lambda: all_stored(process, script))

    assert np.array_equal(decode(await process.body(script, "flac"))[0], expected)
    assert len(process.model.asked) == 2


@pytest.mark.parametrize("audio_format", WITH_LENGTH)
async def test_a_segment_made_anew_that_is_shorter_is_followed_by_silence(
    process: Process, audio_format: AudioFormat
) -> None:
    script = await process.cached(5)
    process.damage(3, DAMAGE["gone"])
    process.model.more = -1_000
    heard, _ = decode(await process.body(script, audio_format))
    assert len(heard) == sum(len(spoken(number)) for number in range(5))
    assert process.model.asked == ["3"]
    key = script.segments[3].key
    made = {key: Length(len(spoken(3)) - 1_000, RATE)}

    async def indexed() -> bool:
        return await process.cache.lookup([key]) == made

    await until(indexed)


async def test_cached_audio_is_heard_while_the_database_is_away(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = await process.cached(10)

    async def away(*_: Any, **__: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(DB, "run_querystring", away)
    body = await process.body(script, "wav")
    assert int.from_bytes(body[40:44], "little") == len(body) - 44
    assert process.model.asked == []


async def test_a_lost_database_loses_no_audio(process: Process) -> None:
    script = await process.cached(5)
    await run("TRUNCATE cached_segment")
    heard, _ = decode(await process.body(script, "flac"))
    assert np.array_equal(heard, np.concatenate([spoken(number) for number in range(5)]))
    assert process.model.asked == []
