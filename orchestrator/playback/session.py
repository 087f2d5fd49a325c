"""One listener of a document: which blocks are wanted now, and what has become of each.

Everything happens in steps that do not wait, after each change: a move of the listener, news of a block, the end of a
pause that a busy model asked for. So no step ever sees a state that another has left half done.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Literal

import msgspec
import structlog

from orchestrator.lib.errors.problem_details import summary
from orchestrator.lib.errors.problems import Busy
from orchestrator.playback.playlist import Playlist
from orchestrator.playback.schemas import BlockMessage
from orchestrator.playback.sources import Audio, Candidate, Making, Source
from orchestrator.speech.synthesis.shared_synthesis import LAST_STAGES

_PAUSE: Final = 2  # seconds before a model is asked again that said it is busy and not for how long
_SERVERS_FAULT: Final = 500

log = structlog.stdlib.get_logger("lectern.playback")


class _Entry(msgspec.Struct):
    """A block in the window."""

    state: Literal["looked for", "queued", "making", "ready", "failed"] = "looked for"
    candidate: Candidate | None = None
    making: Making | None = None
    in_line: bool = False  # at the model, or further
    task: "asyncio.Task[None] | None" = None


class Session:
    """`close` ends all it has begun. Until the first `move` nothing is wanted."""

    def __init__(
        self, playlist: Playlist, source: Source, tell: Callable[[BlockMessage], None], *, window: float, at_once: int
    ) -> None:
        """``window`` is in seconds of audio ahead of the listener; ``at_once`` blocks are being made at a time."""
        self._playlist = playlist
        self._source = source
        self._tell = tell
        self._window = window
        self._at_once = at_once
        self._place: int | None = None
        self._into = 0.0
        self._entries: dict[int, _Entry] = {}
        self._seconds: dict[int, float] = {}  # of the blocks whose audio is known
        self._pause: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def move(self, place: int, seconds: float) -> None:
        """The listener is ``seconds`` into the block at this place. One that failed is tried again on arrival."""
        arrived = place != self._place
        self._place, self._into = place, seconds
        if arrived and place in self._entries and self._entries[place].state == "failed":
            self._forget(place)
        self._proceed()

    def retry(self, place: int) -> None:
        """Makes a block that failed, or whose audio has gone, if it is in the window."""
        if place in self._entries and self._entries[place].state in ("failed", "ready"):
            self._forget(place)
            self._proceed()

    def stop(self) -> None:
        """Drops what is not made yet; nothing is wanted until the next `move`."""
        self._place = None
        self._proceed()

    def close(self) -> None:
        self._place = None
        self._tell = lambda _: None
        self._proceed()
        if self._pause is not None:
            self._pause.cancel()

    def _wanted(self) -> range:
        """The block at the listener's place, and those after it that begin within the window."""
        if self._place is None:
            return range(0)
        end = self._place
        ahead = 0.0
        while end < len(self._playlist) and (end == self._place or ahead < self._window):
            seconds = self._seconds.get(end, self._playlist.blocks[end].seconds)
            ahead += seconds if end > self._place else max(0.0, seconds - self._into)
            end += 1
        return range(self._place, end)

    def _proceed(self) -> None:
        """Lets go of what is no longer wanted before it asks for anything new, so that the model is free for that."""
        wanted = self._wanted()
        for place in [place for place in self._entries if place not in wanted]:
            self._forget(place)
        for place in wanted:  # in reading order: what comes first is heard first
            entry = self._entries.get(place)
            if entry is None:
                self._enter(place)
                return  # goes on from here when that is known
            if entry.state == "looked for":
                return
            if entry.state == "queued" and entry.making is None and self._may_ask():
                self._ask(place, entry)

    def _may_ask(self) -> bool:
        """Not before the one before is in line at the model, else it might be overtaken on its way there."""
        in_hand = self._in_hand()
        return self._pause is None and len(in_hand) < self._at_once and all(entry.in_line for entry in in_hand)

    def _in_hand(self) -> list[_Entry]:
        return [entry for entry in self._entries.values() if entry.making is not None]

    def _forget(self, place: int) -> None:
        entry = self._entries.pop(place)
        if entry.making is not None:
            entry.making.leave()
        if entry.task is not None:
            entry.task.cancel()
        if entry.state in ("queued", "making"):
            self._tell(BlockMessage(self._playlist.blocks[place].id, "dropped"))

    def _enter(self, place: int) -> None:
        entry = self._entries[place] = _Entry()
        entry.task = self._start(self._look_for(place, entry))

    async def _look_for(self, place: int, entry: _Entry) -> None:
        try:
            entry.candidate = await self._source.find(self._playlist.blocks[place].id)
            audio = await entry.candidate.kept()
        except Exception as error:  # noqa: BLE001 - the listener is told of it
            self._failed(place, entry, error)
        else:
            if audio is not None:
                self._ready(place, entry, audio)
            else:
                entry.state = "queued"
                self._tell(BlockMessage(self._playlist.blocks[place].id, "queued"))
        self._proceed()

    def _ask(self, place: int, entry: _Entry) -> None:
        assert entry.candidate is not None  # noqa: S101 - it is queued, so it was found
        try:
            entry.making = entry.candidate.make(admitted=bool(self._in_hand()))
        except Busy as busy:
            self._hold_back(place, entry, busy)
        else:
            entry.task = self._start(self._follow(place, entry, entry.making))

    async def _follow(self, place: int, entry: _Entry, making: Making) -> None:
        try:
            async for stage in making.stages():
                if stage == "making":
                    entry.state = "making"
                    self._tell(BlockMessage(self._playlist.blocks[place].id, "making"))
                elif stage in LAST_STAGES:
                    self._ready(place, entry, making.audio(stage))
                if stage != "begun" and not entry.in_line:
                    entry.in_line = True
                    self._proceed()
        except Busy as busy:
            self._hold_back(place, entry, busy)
        except Exception as error:  # noqa: BLE001 - the listener is told of it
            self._failed(place, entry, error)
        making.leave()
        entry.making, entry.in_line = None, False
        self._proceed()

    def _ready(self, place: int, entry: _Entry, audio: Audio) -> None:
        entry.state = "ready"
        self._seconds[place] = audio.seconds
        self._tell(
            BlockMessage(self._playlist.blocks[place].id, "ready", url=audio.url, seconds=round(audio.seconds, 3))
        )

    def _failed(self, place: int, entry: _Entry, error: Exception) -> None:
        problem = summary(error)
        if problem["status"] >= _SERVERS_FAULT:
            log.warning(
                "block failed", block=str(self._playlist.blocks[place].id), detail=problem["detail"], exc_info=error
            )
        entry.state = "failed"
        self._tell(BlockMessage(self._playlist.blocks[place].id, "failed", error=problem))

    def _hold_back(self, place: int, entry: _Entry, busy: Busy) -> None:
        """A model that is busy is asked again later, and for no other block until then."""
        seconds = busy.retry_after or _PAUSE
        entry.state = "queued"
        self._tell(BlockMessage(self._playlist.blocks[place].id, "queued", retry_after=seconds, error=summary(busy)))
        if self._pause is None:
            self._pause = asyncio.get_running_loop().call_later(seconds, self._resume)

    def _resume(self) -> None:
        self._pause = None
        self._proceed()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
