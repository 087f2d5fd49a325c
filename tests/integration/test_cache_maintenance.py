"""The cache stays within its budget: what is evicted, what stays, and what is found again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np
import pytest

from orchestrator.audio.formats import Sound
from orchestrator.lib import database, metrics
from orchestrator.lib.database import run
from orchestrator.lib.environment import Secret
from orchestrator.lib.leases import Leases
from orchestrator.lib.object_store import Store, StoreFailed
from orchestrator.lib.priority_threads import PriorityThreads
from orchestrator.lib.settings import DatabaseSettings
from orchestrator.speech.cache.audio_cache import AudioCache
from orchestrator.speech.cache.eviction import Eviction, show_size, total_bytes
from orchestrator.speech.cache.index import CacheIndex, Checksum
from orchestrator.speech.cache.names import ORIGINAL, AudioName, path_of
from orchestrator.speech.cache.pins import pin, unpin
from orchestrator.speech.cache.reconciliation import Reconciliation
from orchestrator.speech.cache.segment_file import CachedAudio, Length
from orchestrator.speech.rendition import Rendition
from orchestrator.speech.settings import CacheSettings
from tests.integration.audio import decode
from tests.integration.own_database import OwnDatabase, own_database
from tests.stack import Stack

pytestmark = pytest.mark.anyio

RATE = 24_000
SPOKEN = CachedAudio((8000 * np.sin(np.arange(RATE) / 17)).astype(np.int16), RATE, [])
OPUS = Sound("opus")
GRACE = 60.0


@pytest.fixture(scope="module")
def books_database(stack: Stack) -> Iterator[OwnDatabase]:
    with own_database(stack) as made:
        yield made


@pytest.fixture
async def books(books_database: OwnDatabase, tmp_path: Path) -> AsyncIterator["Books"]:
    async with database.pool(DatabaseSettings(url=Secret(books_database.url))):
        await run("TRUNCATE cached_segment, cache_pin, lease")
        threads = PriorityThreads(2)
        yield Books(tmp_path / "store", threads)
        threads.close()


class Books:
    """What one web process has of the cache, over a store and a database that belong to one test."""

    def __init__(self, folder: Path, threads: PriorityThreads) -> None:
        self.folder = folder
        self.threads = threads
        self.store = Store(folder.as_uri())
        self.cache_index = CacheIndex()
        self.leases = Leases()
        self.audio_cache = AudioCache(self.store, threads, self.cache_index)

    async def make(self, *, age: float = 3600.0) -> str:
        """A kept segment that was last used ``age`` seconds ago."""
        key = uuid4().hex * 2
        await self.audio_cache.write(key, SPOKEN)
        await self.age(key, age)
        return key

    async def age(self, key: str, seconds: float) -> None:
        await run(
            "UPDATE cached_segment SET last_used = now() - make_interval(secs => {}) WHERE segment_key = {}",
            seconds,
            key,
        )

    def files(self, key: str) -> dict[str, int]:
        folder = self.folder / path_of(key, "x").rpartition("/")[0]
        return {file.name.removeprefix(f"{key}."): file.stat().st_size for file in folder.glob("*") if key in file.name}

    def settings(self, budget: int, grace: float = GRACE) -> CacheSettings:
        return CacheSettings(budget_bytes=budget, grace_seconds=grace, reconcile_seconds=3600)

    async def evict(self, budget: int, *, store: Store | None = None, grace: float = GRACE) -> None:
        await Eviction(store or self.store, self.leases, self.settings(budget, grace)).run()

    async def adopt(self) -> None:
        await Reconciliation(self.store, self.settings(0)).run()


async def row(key: str) -> dict[str, Any] | None:
    rows = await run("SELECT sizes, bytes, evicting FROM cached_segment WHERE segment_key = {}", key)
    return {**rows[0], "sizes": msgspec.json.decode(rows[0]["sizes"])} if rows else None


async def kept(books: Books, keys: Sequence[str]) -> list[bool]:
    return [await books.audio_cache.read(key) is not None for key in keys]


async def test_the_books_hold_every_object_of_a_segment(books: Books) -> None:
    key = await books.make()
    await books.audio_cache.encoded(AudioName(key, OPUS))
    await books.audio_cache.encoded(AudioName(key, Sound("wav", 8_000)))
    await books.audio_cache.encoded(AudioName(key, Sound("flac"), Rendition(1.5, 0.8)))
    files = books.files(key)
    assert set(files) == {"flac", "opus", "8000.wav", "1.5x.0.8s.flac"}
    assert await row(key) == {"sizes": files, "bytes": sum(files.values()), "evicting": False}
    assert await total_bytes() == sum(files.values())


async def test_two_processes_that_encode_at_once_are_counted_once_and_agree(books: Books) -> None:
    key = await books.make()
    threads = PriorityThreads(2)
    other = AudioCache(Store(books.folder.as_uri()), threads, CacheIndex())
    first, second = await asyncio.gather(
        books.audio_cache.encoded(AudioName(key, OPUS)), other.encoded(AudioName(key, OPUS))
    )
    threads.close()
    assert first is not None
    assert first == second == await books.audio_cache.encoded(AudioName(key, OPUS))
    found = await row(key)
    assert found is not None
    assert found["bytes"] == sum(books.files(key).values())


async def test_what_was_not_used_for_longest_goes_first(books: Books) -> None:
    old, older, oldest, new = [await books.make(age=age) for age in (1000, 2000, 3000, 500)]
    evicted = metrics.SEGMENTS_EVICTED._value.get()
    bytes_evicted = metrics.BYTES_EVICTED._value.get()
    each = await total_bytes() // 4
    await books.evict(int(each * 2.5))

    assert await kept(books, [oldest, older, old, new]) == [False, False, True, True]
    assert books.files(oldest) == books.files(older) == {}
    assert await row(oldest) is None
    assert metrics.SEGMENTS_EVICTED._value.get() == evicted + 2
    assert metrics.BYTES_EVICTED._value.get() == bytes_evicted + 2 * each
    await show_size()
    assert metrics.CACHE_BYTES._value.get() == await total_bytes() == 2 * each


async def test_eviction_stops_somewhat_below_the_budget(books: Books) -> None:
    for age in range(100, 120):
        await books.make(age=age)
    whole = await total_bytes()
    await books.evict(whole - 1)
    assert whole * 0.8 < await total_bytes() <= whole * 0.9


async def test_within_the_budget_or_without_one_nothing_goes(books: Books) -> None:
    key = await books.make()
    await books.evict(await total_bytes())
    await books.evict(0)
    assert await kept(books, [key]) == [True]


async def test_more_than_one_batch_goes_in_one_run(books: Books) -> None:
    keys = [uuid4().hex * 2 for _ in range(450)]
    for key in keys:
        await books.cache_index.made(key, Checksum(1000, 0), Length(RATE, RATE))
        await books.store.write(path_of(key, "flac"), b"x")
    await run("UPDATE cached_segment SET last_used = now() - interval '1 hour'")
    await books.evict(1000)
    assert await total_bytes() == 0
    assert not any(books.files(key) for key in keys)


async def test_encodings_count_and_go_with_their_segment(books: Books) -> None:
    key = await books.make()
    alone = await total_bytes()
    await books.audio_cache.encoded(AudioName(key, Sound("wav")))
    await books.audio_cache.encoded(AudioName(key, Sound("flac"), Rendition(2.0)))
    await books.age(key, 3600)
    await books.evict(alone + 1000)
    assert books.files(key) == {}


async def test_what_was_just_used_stays_however_small_the_budget(books: Books) -> None:
    key = await books.make(age=GRACE / 2)
    await books.evict(1)
    assert await kept(books, [key]) == [True]


@pytest.mark.parametrize("how", ["read", "lookup", "encoded"])
async def test_every_way_of_using_a_segment_counts(books: Books, how: str) -> None:
    key = await books.make()
    await books.audio_cache.encoded(AudioName(key, OPUS))
    await books.age(key, 3600)
    await books.cache_index.flush()  # what came before
    await books.age(key, 3600)

    uses: dict[str, Callable[[], Awaitable[object]]] = {
        "read": lambda: books.audio_cache.read(key),
        "lookup": lambda: books.audio_cache.lookup([key]),
        "encoded": lambda: books.audio_cache.encoded(AudioName(key, OPUS)),
    }
    await uses[how]()
    await books.cache_index.flush()
    await books.evict(1)
    assert await kept(books, [key]) == [True]


async def test_one_query_tells_the_length_of_any_number_of_segments(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached, unknown, going = [await books.make() for _ in range(3)], uuid4().hex * 2, await books.make()
    await run("UPDATE cached_segment SET evicting = true WHERE segment_key = {}", going)
    queries = []

    async def counted(sql: str, *values: Any) -> list[dict[str, Any]]:
        queries.append(sql)
        return await run(sql, *values)

    monkeypatch.setattr("orchestrator.speech.cache.index.run", counted)
    found = await books.audio_cache.lookup([*cached, unknown, going, *cached])
    assert found == dict.fromkeys(cached, Length(RATE, RATE))
    assert len(queries) == 1


async def test_without_the_database_the_store_tells_the_lengths(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [await books.make() for _ in range(40)]

    async def away(*_: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr("orchestrator.speech.cache.index.run", away)
    found = await books.audio_cache.lookup([*keys, uuid4().hex * 2])
    assert found == dict.fromkeys(keys, Length(RATE, RATE))


async def test_a_length_that_the_index_lacks_is_known_once_the_segment_was_read(books: Books) -> None:
    key = await books.make()
    await run("UPDATE cached_segment SET samples = NULL, sample_rate = NULL")
    assert await books.audio_cache.lookup([key]) == {}
    await books.audio_cache.read(key)
    await books.cache_index.flush()
    assert await books.audio_cache.lookup([key]) == {key: Length(RATE, RATE)}


async def test_sending_kept_audio_asks_the_database_nothing(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    key = await books.make()
    await books.audio_cache.encoded(AudioName(key, OPUS))

    async def no_database(*_: Any) -> None:
        pytest.fail("the database was asked")

    monkeypatch.setattr("orchestrator.speech.cache.index.run", no_database)
    assert await books.audio_cache.encoded(AudioName(key, OPUS))
    assert await books.audio_cache.read(key)


async def test_what_is_being_made_stays(books: Books) -> None:
    key = await books.make()
    async with Leases().hold(key):
        await books.evict(1)
        assert await kept(books, [key]) == [True]
    await books.evict(1)
    assert await kept(books, [key]) == [False]


async def test_a_maker_waits_for_an_eviction_and_its_audio_stays(books: Books) -> None:
    """The one that deletes holds the lease of who makes, so that it never deletes what was made meanwhile."""
    key = await books.make()
    deleting, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Store):
        async def delete(self, paths: Sequence[str]) -> None:
            deleting.set()
            await go_on.wait()
            await super().delete(paths)

    eviction = asyncio.create_task(books.evict(1, store=Slow(books.folder.as_uri())))
    await deleting.wait()

    async def make_anew() -> bool:
        async with Leases().hold(key) as contended:
            await books.audio_cache.write(key, SPOKEN)
            return contended

    maker = asyncio.create_task(make_anew())
    await asyncio.sleep(0)
    go_on.set()
    await eviction
    assert await maker
    assert await kept(books, [key]) == [True]
    assert (await row(key) or {})["bytes"] == sum(books.files(key).values())


async def test_pinned_audio_stays_until_its_last_owner_lets_go(books: Books) -> None:
    pinned, free = await books.make(age=3000), await books.make(age=2000)
    await pin([pinned], "preview", seconds=3600)
    await pin([pinned], "narration 1", seconds=3600)
    await books.age(pinned, 3000)
    await books.evict(1)
    assert await kept(books, [pinned, free]) == [True, False]

    await unpin("preview")
    await books.evict(1)
    assert await kept(books, [pinned]) == [True]
    await unpin("narration 1")
    await books.evict(1)
    assert await kept(books, [pinned]) == [False]


async def test_a_pin_runs_out_and_can_be_renewed(books: Books) -> None:
    forgotten, renewed = await books.make(age=3000), await books.make(age=2000)
    await pin([forgotten, renewed, renewed], "narration", seconds=-1)
    await pin([renewed], "narration", seconds=3600)
    await run("UPDATE cached_segment SET last_used = now() - interval '1 hour'")
    await books.evict(1)
    assert await kept(books, [forgotten, renewed]) == [False, True]
    assert [found["segment_key"] for found in await run("SELECT segment_key FROM cache_pin")] == [renewed]


async def test_what_is_pinned_before_it_is_made_stays(books: Books) -> None:
    key = uuid4().hex * 2
    await pin([key], "narration", seconds=3600)
    await books.audio_cache.write(key, SPOKEN)
    await books.age(key, 3600)
    await books.evict(1)
    assert await kept(books, [key]) == [True]


async def test_a_pin_holds_off_an_eviction_that_has_chosen_already(books: Books) -> None:
    key = await books.make()
    eviction = Eviction(books.store, books.leases, books.settings(1))
    chosen = await run("SELECT segment_key, bytes FROM cached_segment")
    await pin([key], "narration", seconds=3600)
    assert await eviction._evict(chosen) == []
    assert await kept(books, [key]) == [True]


async def test_evictions_that_run_into_each_other_break_nothing(books: Books) -> None:
    keys = [await books.make(age=1000 + number) for number in range(30)]
    await asyncio.gather(
        *(Eviction(books.store, Leases(), books.settings(1)).run() for _ in range(3)),
        *(books.audio_cache.encoded(AudioName(key, OPUS)) for key in keys[:10]),
    )
    for key in keys:
        found = await row(key)
        assert books.files(key) == (found["sizes"] if found else {})


@pytest.mark.parametrize("survives", [{"flac", "opus"}, {"opus"}, set()])
async def test_an_eviction_cut_short_anywhere_is_finished_by_the_next(books: Books, survives: set[str]) -> None:
    key = await books.make()
    await books.audio_cache.encoded(AudioName(key, OPUS))
    await run("UPDATE cached_segment SET evicting = true")  # and the process died
    for suffix in {"flac", "opus"} - survives:
        (books.folder / path_of(key, suffix)).unlink()

    await books.evict(0)  # also where nothing is over any budget
    assert books.files(key) == {}
    assert await row(key) is None


async def test_a_store_that_fails_midway_leaves_nothing_broken(books: Books) -> None:
    class Failing(Store):
        async def delete(self, paths: Sequence[str]) -> None:
            if not all(path.endswith(ORIGINAL) for path in paths):
                raise StoreFailed
            await super().delete(paths)

    key = await books.make()
    await books.audio_cache.encoded(AudioName(key, OPUS))
    await books.age(key, 3600)
    with pytest.raises(StoreFailed):
        await books.evict(1, store=Failing(books.folder.as_uri()))
    assert await kept(books, [key]) == [False]
    assert await run("SELECT FROM lease") == []

    await books.audio_cache.write(key, SPOKEN)  # made anew meanwhile
    await books.evict(1)
    assert await kept(books, [key]) == [True]


async def test_a_segment_whose_file_is_gone_reads_as_not_cached(books: Books) -> None:
    key = await books.make()
    await books.audio_cache.encoded(AudioName(key, OPUS))
    (books.folder / path_of(key, "flac")).unlink()
    assert await books.audio_cache.read(key) is None
    assert await books.audio_cache.encoded(AudioName(key, Sound("mp3"))) is None
    assert not await books.audio_cache.in_store(AudioName(key, Sound("mp3")), again_after=10)


async def test_a_row_whose_file_is_gone_is_dropped_once_somebody_asked_for_the_file(books: Books) -> None:
    gone, there = await books.make(), await books.make()
    (books.folder / path_of(gone, "flac")).unlink()
    assert set(await books.audio_cache.lookup([gone, there])) == {gone, there}
    assert await books.audio_cache.read(gone) is None
    await books.audio_cache.read(there)
    await books.cache_index.flush()
    assert set(await books.audio_cache.lookup([gone, there])) == {there}


async def test_a_segment_made_anew_after_somebody_missed_it_stays_indexed(books: Books) -> None:
    key = await books.make()
    (books.folder / path_of(key, "flac")).unlink()
    assert await books.audio_cache.read(key) is None
    await books.audio_cache.write(key, SPOKEN)
    await books.cache_index.flush()
    assert await books.audio_cache.lookup([key]) == {key: Length(RATE, RATE)}


async def test_a_new_synthesis_leaves_no_encoding_of_the_old_one(books: Books) -> None:
    key = await books.make()
    names = [AudioName(key, OPUS), AudioName(key, OPUS, Rendition(1.5)), AudioName(key, Sound("flac"), Rendition(0.5))]
    old = [await books.audio_cache.encoded(name) for name in names]
    louder = CachedAudio(SPOKEN.samples * 2, RATE, [])
    await books.audio_cache.write(key, louder)
    assert set(books.files(key)) == {"flac"}
    found = await row(key)
    assert found is not None
    assert found["sizes"] == books.files(key)
    assert not set(old) & {await books.audio_cache.encoded(name) for name in names}


async def test_who_holds_the_lease_deletes_what_cannot_be_read(books: Books) -> None:
    key, neighbour = await books.make(), f"{'0' * 4}{uuid4().hex}{'0' * 28}"
    key = f"{neighbour[:4]}{key[4:]}"
    for one in (key, neighbour):
        await books.audio_cache.write(one, SPOKEN)
        await books.audio_cache.encoded(AudioName(one, OPUS))
    (books.folder / path_of(key, "flac")).write_bytes(b"junk")
    assert await books.audio_cache.read(key) is None
    assert "flac" in books.files(key), "somebody may be writing it just now"
    assert await books.audio_cache.read(key, leased=True) is None
    assert books.files(key) == {}
    assert await row(key) is None
    assert await kept(books, [neighbour]) == [True]


async def test_a_file_that_nobody_vouches_for_is_made_anew_from_the_segment(books: Books) -> None:
    """As after a loss of the database: the segment proves itself, its encodings do not."""
    key = await books.make()
    whole = await books.audio_cache.encoded(AudioName(key, OPUS))
    await run("TRUNCATE cached_segment")
    (books.folder / path_of(key, "opus")).write_bytes(b"OggS and then something else")
    other = AudioCache(books.store, books.threads, CacheIndex())
    assert await other.encoded(AudioName(key, OPUS)) == whole
    assert await other.encoded(AudioName(key, Sound("flac"))) == (books.folder / path_of(key, "flac")).read_bytes()


async def test_a_store_that_deletes_nothing_takes_no_voice_away(books: Books) -> None:
    class Stubborn(Store):
        async def delete(self, _: Sequence[str]) -> None:
            raise StoreFailed

    key = await books.make()
    (books.folder / path_of(key, "flac")).write_bytes(b"fLaC")
    threads = PriorityThreads(1)
    audio_cache = AudioCache(Stubborn(books.folder.as_uri()), threads, books.cache_index)
    assert await audio_cache.read(key, leased=True) is None
    await audio_cache.write(key, SPOKEN)
    assert await audio_cache.read(key) is not None
    threads.close()


async def test_no_encoding_outlives_the_segment_it_was_made_from(books: Books) -> None:
    key = await books.make()

    class Evicted(PriorityThreads):
        """Between reading the segment and keeping its encoding, all of it goes."""

        async def run(self, work: Any, *args: Any, **kwargs: Any) -> Any:
            done = await super().run(work, *args, **kwargs)
            await books.evict(1, grace=1)
            return done

    threads = Evicted(1)
    data = await AudioCache(books.store, threads, CacheIndex()).encoded(AudioName(key, OPUS))
    threads.close()
    assert data is not None
    assert len(decode(data)[0]) == 2 * RATE  # opus runs at 48 kHz
    assert books.files(key) == {}


async def test_an_encoding_that_cannot_be_kept_is_sent_all_the_same(books: Books) -> None:
    key = await books.make()
    failures = metrics.STORE_FAILURES._value.get()

    class Full(Store):
        async def write(self, *_: object, **__: object) -> None:
            raise StoreFailed

    threads = PriorityThreads(1)
    audio_cache = AudioCache(Full(books.folder.as_uri()), threads, books.cache_index)
    data = await audio_cache.encoded(AudioName(key, OPUS))
    assert data is not None
    assert len(decode(data)[0]) == 2 * RATE
    assert not await audio_cache.in_store(AudioName(key, OPUS), again_after=10)
    threads.close()
    assert metrics.STORE_FAILURES._value.get() == failures + 2


async def test_a_store_that_is_older_than_the_books_is_adopted(books: Books) -> None:
    keys = [await books.make() for _ in range(3)]
    await books.audio_cache.encoded(AudioName(keys[0], OPUS))
    before = await total_bytes()
    await run("TRUNCATE cached_segment")
    (books.folder / "segments" / "ab").mkdir(exist_ok=True)
    (books.folder / "segments" / "ab" / "somebody else's file").write_text("is left alone")

    await books.adopt()
    assert await total_bytes() == before
    found = await row(keys[0])
    assert found is not None
    assert found["sizes"] == books.files(keys[0])

    await run("UPDATE cached_segment SET last_used = now() - interval '1 hour'")
    await books.evict(1)
    assert await kept(books, keys) == [False] * 3
    assert (books.folder / "segments" / "ab" / "somebody else's file").exists()


async def test_the_lengths_of_adopted_audio_are_read_from_its_files(books: Books) -> None:
    keys = [await books.make() for _ in range(30)]
    (books.folder / path_of(keys[0], "flac")).write_bytes(b"no segment")
    await run("TRUNCATE cached_segment")
    await books.adopt()
    assert await books.audio_cache.lookup(keys) == dict.fromkeys(keys[1:], Length(RATE, RATE))


async def test_the_length_of_audio_that_was_made_anew_without_the_database_is_read(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await books.make()

    async def away(*_: Any) -> None:
        raise TimeoutError

    with monkeypatch.context() as patched:
        patched.setattr("orchestrator.speech.cache.index.run", away)
        await books.audio_cache.write(key, CachedAudio(SPOKEN.samples[: RATE // 2], RATE, []))
    assert await books.audio_cache.lookup([key]) == {key: Length(RATE, RATE)}
    await books.adopt()
    assert await books.audio_cache.lookup([key]) == {key: Length(RATE // 2, RATE)}


async def test_adopted_audio_counts_as_used_when_it_was_written(books: Books) -> None:
    key = await books.make()
    await run("TRUNCATE cached_segment")
    await books.adopt()
    await books.evict(1)
    assert await kept(books, [key]) == [True]  # it was written a moment ago


async def test_an_object_that_was_never_written_down_is_counted(books: Books) -> None:
    key = await books.make()
    await books.store.write(path_of(key, "mp3"), b"x" * 500)  # and the process died
    await books.adopt()
    assert (await row(key) or {})["sizes"] == books.files(key)


async def test_what_is_gone_from_the_store_is_forgotten(books: Books) -> None:
    gone, there = await books.make(), await books.make()
    (books.folder / path_of(gone, "flac")).unlink()
    await books.adopt()
    assert await row(gone) is None
    assert await row(there) is not None


async def test_a_row_just_written_is_believed_more_than_a_listing(books: Books) -> None:
    key = uuid4().hex * 2
    await books.cache_index.made(
        key, Checksum(5, 0), Length(RATE, RATE)
    )  # the listing ran before its objects were there
    await books.adopt()
    assert await row(key) is not None


async def test_a_large_store_is_adopted_whole(books: Books) -> None:
    keys = [uuid4().hex * 2 for _ in range(2_500)]
    for key in keys:
        file = books.folder / path_of(key, "flac")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    await books.adopt()
    assert await total_bytes() == 2_500


async def test_uses_survive_the_end_of_a_process(books: Books) -> None:
    key = await books.make()
    flushing = asyncio.create_task(books.cache_index.keep_flushing())
    await asyncio.sleep(0)
    await books.audio_cache.read(key)
    flushing.cancel()
    await asyncio.gather(flushing, return_exceptions=True)
    await books.evict(1)
    assert await kept(books, [key]) == [True]


async def test_a_held_file_is_in_use_before_its_address_is_given_out(books: Books) -> None:
    key = await books.make()
    assert await books.audio_cache.in_store(AudioName(key, OPUS), again_after=10)
    assert (books.folder / path_of(key, "opus")).is_file()
    await books.evict(1)
    assert await kept(books, [key]) == [True]


async def test_a_segment_that_is_going_is_not_given_out(books: Books) -> None:
    key = await books.make()
    await run("UPDATE cached_segment SET evicting = true")
    assert not await books.audio_cache.in_store(AudioName(key, Sound("flac")), again_after=10)
