from pathlib import Path

import pytest

from orchestrator.lib.store import Store, StoreFailed

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A folder is read past obstore, anything else by it."""
    return Store((tmp_path / "with space").as_uri() if request.param == "folder" else "memory:///")


async def test_what_is_written_is_read(store: Store) -> None:
    await store.write("a/b/c.flac", b"\x00\xffsound")
    assert await store.read("a/b/c.flac") == b"\x00\xffsound"


async def test_what_is_written_again_is_replaced(store: Store) -> None:
    await store.write("a", b"old and longer")
    await store.write("a", b"new")
    assert await store.read("a") == b"new"


async def test_what_is_not_there_is_none(store: Store) -> None:
    assert await store.read("no/such/thing") is None


async def test_a_store_that_works_proves_itself(store: Store) -> None:
    await store.prove()


async def test_a_store_that_cannot_be_written_fails_as_such(tmp_path: Path) -> None:
    (tmp_path / "segments").write_text("a file where a folder should be")
    store = Store(tmp_path.as_uri())
    with pytest.raises(StoreFailed):
        await store.write("segments/ab/cd.flac", b"sound")
    with pytest.raises(StoreFailed):
        await store.read("segments/ab/cd.flac")
