"""What was heard is written down wherever it can be, and settled once."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from orchestrator.accounts.requester import Requester
from orchestrator.billing.usage_meter import FOLDER, UNREADABLE, UsageMeter, UsageRow, settle_written_down
from orchestrator.lib import database
from orchestrator.lib.environment import Secret
from orchestrator.lib.ids import new_id
from orchestrator.lib.object_store import Store
from orchestrator.lib.settings import DatabaseSettings
from tests.integration.own_database import OwnDatabase, own_database
from tests.stack import Stack

pytestmark = pytest.mark.anyio
NOBODY = {"dsn": "postgresql://nobody@127.0.0.1:1/nothing"}  # a port at which nobody listens


@pytest.fixture(scope="module")
def own(stack: Stack) -> Iterator[OwnDatabase]:
    with own_database(stack) as made:
        yield made


@pytest.fixture
async def connected(own: OwnDatabase) -> AsyncIterator[None]:
    async with database.pool(DatabaseSettings(url=Secret(own.url))):
        await database.run("DELETE FROM usage")
        yield


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path.as_uri())


async def requester(**fields: Any) -> Requester:
    (row,) = await database.run("SELECT id FROM account")
    return Requester(account=row["id"], plan="local", key=new_id(), **fields)


def hear(meter: UsageMeter, who: Requester, key: str = "k", *, seconds: float = 2.0, made: float = 0.0) -> None:
    hold = meter.hold(who, segment_key=key, model="hum", characters=20)
    hold.settle("made" if made else "cached", seconds=seconds, made_seconds=made)


async def rows() -> list[dict[str, Any]]:
    return await database.run("SELECT * FROM usage ORDER BY id")


@pytest.mark.usefixtures("connected")
async def test_cached_segments_are_added_up_and_made_ones_are_not(store: Store) -> None:
    meter, ann = UsageMeter(store), await requester()
    for key in ("a", "b"):
        hear(meter, ann, key, made=2.0)
        hear(meter, ann, key)
    await meter.flush()
    made, other, cached = sorted(await rows(), key=lambda row: str(row["segment_key"] or "z"))
    assert [(row["segment_key"], row["seconds"], row["made_seconds"]) for row in (made, other)] == [
        ("a", 2.0, 2.0),
        ("b", 2.0, 2.0),
    ]
    assert (cached["segments"], cached["characters"], cached["seconds"]) == (2, 40, 4.0)
    assert {row["api_key"] for row in (made, other, cached)} == {ann.key}
    assert await store.list(FOLDER) == []


@pytest.mark.usefixtures("connected")
async def test_a_listener_is_counted_once_for_a_while(store: Store) -> None:
    now = 0.0
    meter, ann = UsageMeter(store, clock=lambda: now), await requester(listener=uuid4())
    hear(meter, ann, made=2.0)
    hear(meter, ann)
    hear(meter, await requester(listener=uuid4()))
    await meter.flush()
    assert sorted(row["source"] for row in await rows()) == ["cached", "made"]
    now = 3600.0
    hear(meter, ann)
    await meter.flush()
    assert sorted(row["source"] for row in await rows()) == ["cached", "cached", "made"]


@pytest.mark.usefixtures("connected")
async def test_a_listener_who_heard_a_part_is_counted_by_the_rest(store: Store) -> None:
    meter, ann = UsageMeter(store), await requester(listener=uuid4())
    hear(meter, ann, seconds=2.0, made=2.0)
    hear(meter, ann, seconds=5.0, made=3.0)
    await meter.flush()
    found = await rows()
    assert sum(row["seconds"] for row in found) == sum(row["made_seconds"] for row in found) == 5.0
    assert sum(row["characters"] for row in found) == 20


@pytest.mark.usefixtures("connected")
async def test_rows_of_an_account_that_is_gone_keep_no_others_from_being_written(store: Store) -> None:
    meter = UsageMeter(store)
    hear(meter, Requester(account=new_id(), plan="local"), made=1.0)
    hear(meter, await requester(), made=2.0)
    await meter.flush()
    assert [row["seconds"] for row in await rows()] == [2.0]


async def test_while_the_database_is_away_usage_goes_to_the_store_and_is_settled_once(
    own: OwnDatabase, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = UsageMeter(store)
    async with database.pool(DatabaseSettings(url=Secret(own.url))):
        await database.run("DELETE FROM usage")
        ann = await requester()
    hear(meter, ann, made=2.0)
    with monkeypatch.context() as away:
        away.setattr(database.DB, "config", NOBODY)
        await meter.flush()
    (stored,) = await store.list(FOLDER)
    data = await store.read(stored.path)
    assert data is not None
    (row,) = msgspec.json.decode(data, type=list[UsageRow])
    assert (row.account, row.made_seconds) == (ann.account, 2.0)

    async with database.pool(DatabaseSettings(url=Secret(own.url))):
        await settle_written_down(store)
        await store.write(stored.path, data)  # as if the process had died before it deleted the file
        await settle_written_down(store)
        assert [row["made_seconds"] for row in await rows()] == [2.0]
    assert await store.list(FOLDER) == []


@pytest.mark.usefixtures("connected")
async def test_what_cannot_be_read_is_set_aside_and_keeps_no_other_from_being_settled(store: Store) -> None:
    ann = await requester()
    row = UsageRow(new_id(), ann.account, None, "hum", "made", "k", 1, 20, 2.0, 2.0, 0.0)
    await store.write(f"{FOLDER}/0-bad.json", b"")
    await store.write(f"{FOLDER}/1-good.json", msgspec.json.encode([row]))
    await settle_written_down(store)
    assert [row["made_seconds"] for row in await rows()] == [2.0]
    assert await store.list(FOLDER) == []
    assert len(await store.list(UNREADABLE)) == 1


async def test_without_database_and_store_usage_waits_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database.DB, "config", NOBODY)
    blocked = tmp_path / "store"
    blocked.mkdir()
    (blocked / FOLDER).write_text("no folder can be made here")
    meter = UsageMeter(Store(blocked.as_uri()))
    ann = Requester(account=new_id(), plan="local")
    hear(meter, ann, made=2.0)
    await meter.flush()
    (blocked / FOLDER).unlink()
    await meter.flush()
    assert len(await Store(blocked.as_uri()).list(FOLDER)) == 1
