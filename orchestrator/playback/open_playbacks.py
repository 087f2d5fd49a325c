"""Who listens through this process now: counted, and reached where a position comes by another way."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal
from uuid import UUID

import msgspec
import structlog

from orchestrator.lib import metrics
from orchestrator.lib.errors.problems import Busy, NotFound, TooMany
from orchestrator.playback.settings import PlaybackSettings

Transport = Literal["socket", "events"]

log = structlog.stdlib.get_logger("lectern.playback")


class Listener(msgspec.Struct, frozen=True, eq=False):
    """``name`` is what the client calls its playback; ``move`` takes a block and the seconds into it."""

    account: UUID
    document: UUID
    name: str | None
    move: Callable[[UUID, float], None]


class OpenPlaybacks:
    def __init__(self, settings: PlaybackSettings) -> None:
        self._settings = settings
        self._reachable: set[Listener] = set()
        self._of_account: Counter[UUID] = Counter()

    @contextmanager
    def counted(self, account: UUID, transport: Transport) -> Iterator[None]:
        """Raises `TooMany` or `Busy`."""
        if self._of_account[account] >= self._settings.per_account:
            raise TooMany(
                f"{self._settings.per_account} playbacks are open for this account, and no more are accepted."
                " Close one of them."
            )
        if self._of_account.total() >= self._settings.per_process:
            raise Busy("This server has as many listeners as it can take. Try again later.", retry_after=10)
        gauge = metrics.PLAYBACKS.labels(transport)
        self._of_account[account] += 1
        gauge.inc()
        try:
            yield
        finally:
            gauge.dec()
            self._of_account[account] -= 1
            if not self._of_account[account]:
                del self._of_account[account]

    @contextmanager
    def reachable(self, listener: Listener) -> Iterator[None]:
        """For one that cannot tell its position itself."""
        self._reachable.add(listener)
        try:
            yield
        finally:
            self._reachable.discard(listener)

    def move(self, account: UUID, document: UUID, block: UUID, seconds: float, *, name: str | None = None) -> None:
        """PositionUpdates those of this account in this document; with a name, only the ones of that name."""
        for listener in list(self._reachable):
            if (listener.account, listener.document) == (account, document) and name in (None, listener.name):
                try:
                    listener.move(block, seconds)
                except NotFound:  # it was opened before this block was made
                    log.warning("a playback does not have this block", document=str(document), block=str(block))
