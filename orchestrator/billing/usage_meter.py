"""Counts what each account hears, in the table `usage`.

Rows are collected for a moment and written together, at the latest before the response ends. While the database is
away they are written down in the store, and settled later: each row has its id, so that none counts twice.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

import msgspec
import structlog

from orchestrator.accounts.requester import Requester
from orchestrator.billing.meter import Source
from orchestrator.lib import metrics
from orchestrator.lib.database import is_outage, run
from orchestrator.lib.ids import new_id
from orchestrator.lib.object_store import Store, StoreFailed
from orchestrator.lib.periodic import run_periodically

FOLDER: Final = "usage"  # in the store, for rows that wait for the database
UNREADABLE: Final = "usage-unreadable"  # for what a bad disk has made of some of them
_FLUSH_SECONDS: Final = 1.0
_WRITE_SECONDS: Final = 2.0  # for one write to the database; a response waits for it
_OUTAGE_SECONDS: Final = 5.0  # after a failed write, in which the database is not asked again
_ROWS: Final = 5_000  # in one statement or file
_SAME_LISTENING: Final = 600.0  # seconds in which a listener who asks for a segment again is not counted again
_MOST_LISTENINGS: Final = 50_000
_LEAST_SECONDS: Final = 0.001  # that count as more than before; sums of chunks differ by less

# Rows of an account that was deleted meanwhile count no more.
_INSERT: Final = (
    "INSERT INTO usage (id, account, api_key, model, source, segment_key, segments, characters, seconds, made_seconds,"
    " counted_at) SELECT row.id, row.account, row.api_key, row.model, row.source, row.segment_key, row.segments,"
    " row.characters, row.seconds, row.made_seconds, to_timestamp(row.counted_at)"
    " FROM jsonb_to_recordset({}::jsonb) AS row(id uuid, account uuid, api_key uuid, model text, source text,"
    " segment_key text, segments int, characters int, seconds float8, made_seconds float8, counted_at float8)"
    " JOIN account ON account.id = row.account ON CONFLICT (id) DO NOTHING"
)

log = structlog.stdlib.get_logger("lectern.usage")


class UsageRow(msgspec.Struct):
    id: UUID
    account: UUID
    api_key: UUID | None
    model: str
    source: Source
    segment_key: str | None
    segments: int
    characters: int
    seconds: float
    made_seconds: float
    counted_at: float  # seconds since 1970


class UsageMeter:
    """A listener who asks for one segment by several requests, such as a playback and its player, is counted once."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._rows: list[UsageRow] = []
        self._cached: dict[Hashable, UsageRow] = {}  # the rows of cached segments, which are added up
        self._listenings: OrderedDict[tuple[UUID, UUID, str], tuple[float, float]] = OrderedDict()  # seconds, since
        self._writing = asyncio.Lock()
        self._away_until = float("-inf")

    def hold(self, requester: Requester, *, segment_key: str, model: str, characters: int) -> "UsageHold":
        return UsageHold(self, requester, segment_key, model, characters)

    async def flush(self) -> None:
        """Writes the rows, to the store if the database is away. If both are away they stay for the next flush."""
        if not self._rows and not self._cached and not self._writing.locked():
            return
        async with self._writing:  # those who wait here find their rows written
            while rows := self._take():
                written = False
                try:
                    await self._write(rows)
                    written = True
                except StoreFailed:
                    log.exception("usage is kept in memory, as neither the database nor the store takes it")
                    return
                finally:
                    if not written:
                        self._rows = [*rows, *self._rows]

    async def keep_flushing(self) -> None:
        """Runs until it is cancelled, and writes the rest then."""
        try:
            await run_periodically(self.flush, pause=_FLUSH_SECONDS, complaint="usage not written", log=log)
        finally:
            await asyncio.shield(self.flush())

    def settle(
        self, requester: Requester, key: str, model: str, source: Source, characters: int, seconds: float, made: float
    ) -> None:
        if requester.listener is not None:
            before = self._remember((requester.account, requester.listener, key), seconds)
            if before is not None:
                characters, seconds = 0, max(0.0, seconds - before)
                if not made and seconds < _LEAST_SECONDS:
                    return
        metrics.USAGE_SECONDS.labels(model, source).inc(seconds)
        row = UsageRow(
            id=new_id(),
            account=requester.account,
            api_key=requester.key,
            model=model,
            source=source,
            segment_key=None if source == "cached" else key,
            segments=1,
            characters=characters,
            seconds=seconds,
            made_seconds=made,
            counted_at=time.time(),
        )
        if source != "cached":
            self._rows.append(row)
        elif (sum_ := self._cached.setdefault((row.account, row.api_key, model), row)) is not row:
            sum_.segments += 1
            sum_.characters += characters
            sum_.seconds += seconds

    def _remember(self, listening: tuple[UUID, UUID, str], seconds: float) -> float | None:
        """Returns the seconds of this segment that were counted of the listener before, or None."""
        now = self._clock()
        before, since = self._listenings.pop(listening, (0.0, float("-inf")))
        known = now - since < _SAME_LISTENING
        self._listenings[listening] = (max(seconds, before) if known else seconds), now
        while len(self._listenings) > _MOST_LISTENINGS:
            self._listenings.popitem(last=False)
        return before if known else None

    def _take(self) -> list[UsageRow]:
        self._rows += self._cached.values()
        self._cached = {}
        taken, self._rows = self._rows[:_ROWS], self._rows[_ROWS:]
        return taken

    async def _write(self, rows: list[UsageRow]) -> None:
        data = msgspec.json.encode(rows)
        if self._clock() >= self._away_until:
            try:
                async with asyncio.timeout(_WRITE_SECONDS):
                    await run(_INSERT, data.decode())
            except Exception as error:  # whatever it is, nothing that was heard may be forgotten
                self._away_until = self._clock() + _OUTAGE_SECONDS
                event = "usage is written down in the store, as the database did not take it"
                log.warning(event, error=repr(error), exc_info=not is_outage(error))
            else:
                return
        await self._store.write(f"{FOLDER}/{rows[0].id}.json", data, "application/json")


async def settle_written_down(store: Store) -> None:
    """Brings rows from the store to the database. Any number of processes may do so at once. Raises `StoreFailed`."""
    for stored in await store.list(FOLDER):
        data = await store.read(stored.path)
        if data is None:  # another process was faster
            continue
        try:
            msgspec.json.decode(data, type=list[UsageRow])
        except msgspec.MsgspecError as error:
            aside = f"{UNREADABLE}/{PurePosixPath(stored.path).name}"
            log.error("usage cannot be read, and is set aside in the store", path=aside, error=str(error))  # noqa: TRY400
            await store.write(aside, data)
        else:
            await run(_INSERT, data.decode())
            log.warning("usage settled that was written down while the database was away", path=stored.path)
        await store.delete([stored.path])


class UsageHold:
    """See `meter.Hold`. Counting holds nothing back."""

    def __init__(self, meter: UsageMeter, requester: Requester, key: str, model: str, characters: int) -> None:
        self._meter = meter
        self._requester = requester
        self._key = key
        self._model = model
        self._characters = characters

    def settle(self, source: Source, *, seconds: float, made_seconds: float) -> None:
        if seconds or made_seconds:
            characters = self._characters
            self._meter.settle(self._requester, self._key, self._model, source, characters, seconds, made_seconds)
