import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from orchestrator.lib.object_store import Store, StoreFailed, StoreFull
from tests.small_disk import filled, small_disk

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A folder is read past obstore, anything else by it."""
    return Store((tmp_path / "with space").as_uri() if request.param == "folder" else "memory:///")


async def test_a_written_object_is_read(store: Store) -> None:
    await store.write("a/b/c.flac", b"\x00\xffsound")
    assert await store.read("a/b/c.flac") == b"\x00\xffsound"


async def test_a_second_write_replaces_the_object(store: Store) -> None:
    await store.write("a", b"old and longer")
    await store.write("a", b"new")
    assert await store.read("a") == b"new"


async def test_the_beginning_of_an_object_is_read(store: Store) -> None:
    await store.write("a", b"0123456789")
    assert await store.read("a", first=4) == b"0123"
    assert await store.read("a", first=40) == b"0123456789"


async def test_what_lies_in_no_memory_is_read_from_the_disk(tmp_path: Path) -> None:
    store = Store(tmp_path.as_uri())
    sound = bytes(range(256)) * 4_000
    await store.write("a", sound)
    with (tmp_path / "a").open("rb") as opened:
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    assert await store.read("a") == sound
    assert await store.read("a", first=10) == sound[:10]


async def test_a_missing_object_is_none(store: Store) -> None:
    assert await store.read("no/such/thing") is None
    assert await store.read("no/such/thing", first=10) is None


@pytest.mark.parametrize("mode", [None, 0o700, 0o750, 0o755])
async def test_a_folder_that_was_removed_comes_back_as_it_was(tmp_path: Path, mode: int | None) -> None:
    folder = tmp_path / "store"
    if mode is not None:
        folder.mkdir()
        folder.chmod(mode)
    store = Store(folder.as_uri())
    await store.write("a/b", b"sound")
    shutil.rmtree(folder)
    assert await store.read("a/b") is None
    await store.write("a/b", b"sound")
    assert await store.read("a/b") == b"sound"
    assert folder.stat().st_mode & 0o777 == (mode or 0o700)


async def test_a_full_disk_is_told_apart_and_leaves_what_was_there(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=1) as disk:
        store = Store(disk.as_uri())
        await store.write("a", b"old")
        with filled(disk):
            for attempt in (store.write("a", bytes(10_000)), store.write("new/folder/b", bytes(10_000)), store.probe()):
                with pytest.raises(StoreFull, match="disk of the audio store is full"):
                    await attempt
            assert await store.read("a") == b"old"
        await store.write("a", bytes(10_000))
        assert [one.path for one in await store.list("")] == ["a"]


async def test_the_probe_of_a_working_store_succeeds(store: Store) -> None:
    await store.probe()


async def test_a_store_that_cannot_be_written_fails(tmp_path: Path) -> None:
    (tmp_path / "segments").write_text("a file where a folder should be")
    store = Store(tmp_path.as_uri())
    with pytest.raises(StoreFailed):
        await store.write("segments/ab/cd.flac", b"sound")
    with pytest.raises(StoreFailed):
        await store.read("segments/ab/cd.flac")


async def test_a_deleted_object_is_gone_and_may_be_deleted_again(store: Store) -> None:
    for path in ("a/1", "a/2", "a/3"):
        await store.write(path, b"x")
    await store.delete(["a/1", "a/never", "a/2"])
    await store.delete(["a/1"])
    await store.delete([])
    assert [await store.has(path) for path in ("a/1", "a/2", "a/3")] == [False, False, True]
    assert await store.read("a/1") is None


async def test_a_folder_is_listed_with_sizes_and_times(store: Store) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)  # file systems' clocks are coarse
    await store.write("segments/ab/cd/x.flac", b"12345")
    await store.write("segments/ab/x.json", b"")
    await store.write("segments/abc/x.json", b"1")
    listed = {stored.path: stored for stored in await store.list("segments/ab")}
    assert {path: stored.size for path, stored in listed.items()} == {
        "segments/ab/cd/x.flac": 5,
        "segments/ab/x.json": 0,
    }
    assert all(before < stored.written_at for stored in listed.values())
    assert await store.list("segments/none") == []


async def test_a_folder_or_a_memory_store_signs_nothing(store: Store) -> None:
    with pytest.raises(StoreFailed, match="no signed addresses"):
        await store.sign("GET", "a", 60)


async def test_a_signed_address_names_one_object_and_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Amazon's signature, version 4, has it; no server is asked."""
    for name, value in {
        "AWS_ENDPOINT": "http://127.0.0.1:9",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    store = Store("s3://bucket/audio")
    get, head = [urlsplit(await store.sign(method, "segments/ab/cd/x.opus", 90)) for method in ("GET", "HEAD")]
    assert get.netloc == "127.0.0.1:9"
    assert get.path == "/bucket/audio/segments/ab/cd/x.opus"
    signed = parse_qs(get.query)
    assert signed["X-Amz-Expires"] == ["90"]
    assert signed["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert signed["X-Amz-Credential"][0].startswith("someone/")
    assert abs(
        datetime.strptime(f"{signed['X-Amz-Date'][0]}+0000", "%Y%m%dT%H%M%SZ%z") - datetime.now(UTC)
    ) < timedelta(minutes=1)
    assert signed["X-Amz-Signature"] != parse_qs(head.query)["X-Amz-Signature"]
    assert "secret" not in get.geturl()
