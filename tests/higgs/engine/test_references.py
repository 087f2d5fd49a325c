"""A reference is encoded once: by all who wait for it, in memory, and on disk, which may lose or spoil it."""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lectern_triton.higgs_engine.codebooks import CODEBOOKS, Codes
from lectern_triton.higgs_engine.driver import BadRequest
from lectern_triton.higgs_engine.references.cache import ReferenceCache
from lectern_triton.higgs_engine.references.disk import DiskCache
from tests.higgs.recordings import tone

ONE, TWO = tone(200, 1), tone(300, 1)
MUCH = 1 << 20  # bytes


class Encoder:
    def __init__(self) -> None:
        self.calls = 0
        self.at_a_time = 0
        self.most_at_a_time = 0
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, samples: bytes) -> Codes:
        self.calls += 1
        self.at_a_time += 1
        self.most_at_a_time = max(self.most_at_a_time, self.at_a_time)
        assert self.go_on.wait(60)
        self.at_a_time -= 1
        rows = np.frombuffer(samples[: 25 * CODEBOOKS * 2], "<i2")
        return (np.abs(rows) % 1024).astype(np.int16).reshape(25, CODEBOOKS)


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


def disk(folder: Path, limit: int = MUCH) -> DiskCache:
    return DiskCache(folder / "references", limit)


def files(folder: Path) -> list[Path]:
    return sorted((folder / "references").glob("*.codes"))


async def ask(references: ReferenceCache, *samples: bytes) -> list[Codes]:
    return [await references.codes(each) for each in samples]


def run(references: Callable[[], ReferenceCache], *samples: bytes) -> list[Codes]:
    async def main() -> list[Codes]:
        made = references()
        try:
            return await ask(made, *samples)
        finally:
            await made.close()

    return asyncio.run(main())


def test_memory(encoder: Encoder) -> None:
    first, second, again = run(lambda: ReferenceCache(encoder, "codec", None, MUCH), ONE, TWO, ONE)
    assert encoder.calls == 2
    assert np.array_equal(first, again)
    assert not np.array_equal(first, second)


def test_memory_forgets_what_was_not_used_for_longest(encoder: Encoder) -> None:
    two = 2 * 25 * CODEBOOKS * 2
    three = tone(400, 1)
    run(lambda: ReferenceCache(encoder, "codec", None, two), ONE, TWO, ONE, three, ONE)
    assert encoder.calls == 3
    run(lambda: ReferenceCache(encoder, "codec", None, two), ONE, TWO, three, ONE)
    assert encoder.calls == 3 + 4


def test_disk_outlives_the_engine(encoder: Encoder, tmp_path: Path) -> None:
    made = run(lambda: ReferenceCache(encoder, "codec", disk(tmp_path), MUCH), ONE)
    read = run(lambda: ReferenceCache(encoder, "codec", disk(tmp_path), MUCH), ONE)
    assert encoder.calls == 1
    assert np.array_equal(made[0], read[0])
    assert len(files(tmp_path)) == 1


def test_another_codec_has_codes_of_its_own(encoder: Encoder, tmp_path: Path) -> None:
    run(lambda: ReferenceCache(encoder, "codec", disk(tmp_path), MUCH), ONE)
    run(lambda: ReferenceCache(encoder, "another", disk(tmp_path), MUCH), ONE)
    assert encoder.calls == 2


@pytest.mark.parametrize("damage", ["empty", "cut", "changed", "foreign"])
def test_damaged_files_are_made_again(encoder: Encoder, tmp_path: Path, damage: str) -> None:
    made = run(lambda: ReferenceCache(encoder, "codec", disk(tmp_path), MUCH), ONE)
    file = files(tmp_path)[0]
    whole = file.read_bytes()
    changed = bytes([whole[-1] ^ 1])
    file.write_bytes({"empty": b"", "cut": whole[:-3], "changed": whole[:-1] + changed, "foreign": b"x" * 500}[damage])
    again = run(lambda: ReferenceCache(encoder, "codec", disk(tmp_path), MUCH), ONE)
    assert encoder.calls == 2
    assert np.array_equal(made[0], again[0])
    assert file.read_bytes() == whole


def test_disk_is_bounded_and_leaves_other_files_alone(encoder: Encoder, tmp_path: Path) -> None:
    three = tone(400, 1)
    run(lambda: ReferenceCache(encoder, "codec", disk(tmp_path), MUCH), ONE, TWO)
    other = tmp_path / "references" / "notes.codes"
    other.write_text("not ours")
    os.utime(other, (0, 0))
    for file in files(tmp_path):
        if file != other:
            os.utime(file, (1_000, 1_000))
    size = files(tmp_path)[0].stat().st_size
    run(lambda: ReferenceCache(encoder, "codec", disk(tmp_path, 2 * size), MUCH), ONE)  # used now: the other is older
    assert encoder.calls == 2
    run(lambda: ReferenceCache(encoder, "codec", disk(tmp_path, 2 * size), MUCH), three, ONE)
    assert encoder.calls == 3
    assert other.read_text() == "not ours"
    assert len(files(tmp_path)) == 3


def test_a_folder_that_cannot_be_written_is_not_needed(encoder: Encoder, tmp_path: Path) -> None:
    (tmp_path / "references").write_text("a file")
    run(lambda: ReferenceCache(encoder, "codec", disk(tmp_path), MUCH), ONE)
    assert encoder.calls == 1


def test_nothing_unfinished_is_left(encoder: Encoder, tmp_path: Path) -> None:
    folder = tmp_path / "references"
    folder.mkdir()
    abandoned, fresh = folder / "a.codes.part", folder / "b.codes.part"
    for file in (abandoned, fresh):
        file.write_bytes(b"half")
    os.utime(abandoned, (1_000, 1_000))
    run(lambda: ReferenceCache(encoder, "codec", disk(tmp_path), MUCH), ONE)
    assert sorted(file.name for file in folder.glob("*.part")) == [fresh.name]  # another engine may be writing it


def test_what_was_just_spoken_is_not_kept_on_disk(encoder: Encoder, tmp_path: Path) -> None:
    async def main() -> None:
        references = ReferenceCache(encoder, "codec", disk(tmp_path), MUCH)
        await references.codes(ONE, keep=False)
        await references.codes(ONE, keep=False)
        await references.close()

    asyncio.run(main())
    assert encoder.calls == 1
    assert files(tmp_path) == []


def test_all_wait_for_one_encoding_and_may_leave(encoder: Encoder) -> None:
    async def main() -> None:
        references = ReferenceCache(encoder, "codec", None, MUCH)
        encoder.go_on.clear()
        first, second, other = (asyncio.create_task(references.codes(each)) for each in (ONE, ONE, TWO))
        await asyncio.sleep(0)  # all have asked
        first.cancel()
        await asyncio.wait([first])
        assert first.cancelled()
        encoder.go_on.set()
        assert not np.array_equal(await second, await other)
        await references.close()

    asyncio.run(main())
    assert encoder.calls == 2
    assert encoder.most_at_a_time == 1


def test_a_failed_encoding_is_tried_again(encoder: Encoder) -> None:
    def fails_once(samples: bytes) -> Codes:
        codes = encoder(samples)
        if encoder.calls == 1:
            raise RuntimeError("out of memory")
        return codes

    async def main() -> None:
        references = ReferenceCache(fails_once, "codec", None, MUCH)
        with pytest.raises(RuntimeError):
            await references.codes(ONE)
        assert len(await references.codes(ONE)) == 25
        await references.close()

    asyncio.run(main())


@pytest.mark.parametrize("samples", [b"", ONE[:-1], tone(200, 0.4)], ids=["none", "half a sample", "too short"])
def test_unusable_recordings(encoder: Encoder, samples: bytes) -> None:
    with pytest.raises(BadRequest, match="seconds"):
        run(lambda: ReferenceCache(encoder, "codec", None, MUCH), samples)
