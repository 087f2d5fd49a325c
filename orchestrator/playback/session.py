"""One listener of a document: which blocks the window has, and the state of each.

Every change is one step without a wait: the listener moves, a block's state changes, a pause for a busy model ends. So
no step ever sees a state that another step has left half done.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
import structlog

from orchestrator.lib.errors.problem_details import summary
from orchestrator.lib.errors.problems import Busy
from orchestrator.playback.block_audio import BlockAudio, PlannedBlock
from orchestrator.playback.playlist import Playlist
from orchestrator.playback.schemas import BlockMessage, BlocksMessage, PlaybackMessage, Position, State
from orchestrator.playback.send_queue import SendQueue
from orchestrator.speech.synthesis.shared_synthesis import LAST_STAGES, Subscription

_DEFAULT_PAUSE: Final = 2  # seconds until a busy model is asked again, if it does not say for how long it is busy
_SERVER_ERROR: Final = 500

log = structlog.stdlib.get_logger("lectern.playback")


class _Entry(msgspec.Struct):
    """A block in the window."""

    state: Literal["planning", "queued", "making", "ready", "failed"] = "planning"
    block: PlannedBlock | None = None
    synthesis: Subscription | None = None
    in_model_queue: bool = False  # or further
    task: "asyncio.Task[None] | None" = None


class PlaybackSession:
    """Makes the blocks ahead of the listener and tells what becomes of each. It makes nothing before the first `move`.

    ``close`` ends everything that it has started.
    """

    def __init__(
        self, playlist: Playlist, audio: BlockAudio, send_queue: SendQueue, *, window: float, max_syntheses: int
    ) -> None:
        """``window`` is in seconds of audio ahead of the listener; at most ``max_syntheses`` run at a time."""
        self.send_queue = send_queue
        self._playlist = playlist
        self._audio = audio
        self._window = window
        self._max_syntheses = max_syntheses
        self._index: int | None = None  # of the listener's block in the playlist; None: nothing is wanted
        self._offset = 0.0  # seconds into that block
        self._entries: dict[int, _Entry] = {}
        self._durations: dict[int, float] = {}  # seconds of the blocks whose audio is known
        self._pause: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def begin(self, document: UUID, position: Position | None) -> None:
        """Tells the playlist, and starts at ``position``, or at the first block. Raises `NotFound`."""
        index, seconds = self._playlist.locate(position.block, position.seconds) if position else (0, 0.0)
        begin = Position(self._playlist.blocks[index].id, seconds) if index < len(self._playlist) else None
        first, *others = self._playlist.batches()
        self.send_queue.put(PlaybackMessage(document, self._window, begin, len(self._playlist), first))
        for batch in others:
            self.send_queue.put(BlocksMessage(batch))
        self._move(index, seconds)

    def move(self, block: UUID, seconds: float) -> None:
        """Sets where the listener is. A failed block is tried again when the listener arrives at it.

        Raises `NotFound`.
        """
        self._move(*self._playlist.locate(block, seconds))

    def retry(self, block: UUID) -> None:
        """Makes a block in the window anew if it failed or its audio is gone. Raises `NotFound`."""
        index = self._playlist.index(block)
        if index in self._entries and self._entries[index].state in ("failed", "ready"):
            self._drop(index)
            self._update()

    def stop(self) -> None:
        """Drops what is not made yet, and makes nothing until the next `move`."""
        self._index = None
        self._update()

    def close(self) -> None:
        self._closed = True
        self.stop()
        if self._pause is not None:
            self._pause.cancel()

    def _move(self, index: int, seconds: float) -> None:
        arrived = index != self._index
        self._index, self._offset = index, seconds
        if arrived and index in self._entries and self._entries[index].state == "failed":
            self._drop(index)
        self._update()

    def _in_window(self) -> range:
        """Returns the indexes of the listener's block and of those after it that begin within the window."""
        if self._index is None:
            return range(0)
        end = self._index
        ahead = 0.0
        while end < len(self._playlist) and (end == self._index or ahead < self._window):
            seconds = self._durations.get(end, self._playlist.blocks[end].seconds)
            ahead += seconds if end > self._index else max(0.0, seconds - self._offset)
            end += 1
        return range(self._index, end)

    def _update(self) -> None:
        """Drops the blocks outside the window first, which frees the model, and then starts what comes next."""
        window = self._in_window()
        for index in [index for index in self._entries if index not in window]:
            self._drop(index)
        for index in window:  # in reading order
            entry = self._entries.get(index)
            if entry is None:
                entry = self._entries[index] = _Entry()
                entry.task = self._start(self._plan(index, entry))
            if entry.state == "planning":
                return  # `_plan` goes on from here
            if entry.state == "queued" and entry.synthesis is None and self._may_start_synthesis():
                self._make(index, entry)

    def _may_start_synthesis(self) -> bool:
        """The synthesis before must be in the model's queue, else this one might overtake it on the way there."""
        running = self._running()
        return (
            self._pause is None
            and len(running) < self._max_syntheses
            and all(entry.in_model_queue for entry in running)
        )

    def _running(self) -> list[_Entry]:
        return [entry for entry in self._entries.values() if entry.synthesis is not None]

    def _drop(self, index: int) -> None:
        entry = self._entries.pop(index)
        if entry.synthesis is not None:
            entry.synthesis.close()
        if entry.task is not None:
            entry.task.cancel()
        if entry.state in ("queued", "making"):
            self._tell(index, "dropped")

    async def _plan(self, index: int, entry: _Entry) -> None:
        try:
            entry.block = await self._audio.plan(self._playlist.blocks[index].id)
            seconds = await self._audio.cached_seconds(entry.block)
        except Exception as error:  # noqa: BLE001 - the listener is told of it
            self._fail(index, entry, error)
        else:
            if seconds is not None:
                await self._audio.deliver(entry.block, seconds)
                self._ready(index, entry, entry.block.cached_url, seconds)
            else:
                entry.state = "queued"
                self._tell(index, "queued")
        self._update()

    def _make(self, index: int, entry: _Entry) -> None:
        assert entry.block is not None  # noqa: S101 - a queued block is planned
        try:
            entry.synthesis = self._audio.make_ahead(entry.block, admitted=bool(self._running()))
        except Busy as busy:
            self._pause_for_busy_model(index, entry, busy)
        else:
            entry.task = self._start(self._follow(index, entry, entry.block, entry.synthesis))

    async def _follow(self, index: int, entry: _Entry, block: PlannedBlock, synthesis: Subscription) -> None:
        try:
            async for stage in synthesis.stages():
                if stage == "making":
                    entry.state = "making"
                    self._tell(index, "making")
                elif stage in LAST_STAGES:
                    self._ready(index, entry, block.url(stage), synthesis.seconds)
                if stage != "begun" and not entry.in_model_queue:
                    entry.in_model_queue = True
                    self._update()
        except Busy as busy:
            self._pause_for_busy_model(index, entry, busy)
        except Exception as error:  # noqa: BLE001 - the listener is told of it
            self._fail(index, entry, error)
        synthesis.close()
        entry.synthesis, entry.in_model_queue = None, False
        self._update()

    def _ready(self, index: int, entry: _Entry, url: str, seconds: float) -> None:
        entry.state = "ready"
        self._durations[index] = seconds
        self._tell(index, "ready", url=url, seconds=round(seconds, 3))

    def _fail(self, index: int, entry: _Entry, error: Exception) -> None:
        problem = summary(error)
        if problem["status"] >= _SERVER_ERROR:
            block = self._playlist.blocks[index].id
            log.warning("block failed", block=str(block), detail=problem["detail"], exc_info=error)
        entry.state = "failed"
        self._tell(index, "failed", error=problem)

    def _pause_for_busy_model(self, index: int, entry: _Entry, busy: Busy) -> None:
        """Starts no synthesis for any block until the model may be asked again."""
        seconds = busy.retry_after or _DEFAULT_PAUSE
        entry.state = "queued"
        self._tell(index, "queued", retry_after=seconds, error=summary(busy))
        if self._pause is None:
            self._pause = asyncio.get_running_loop().call_later(seconds, self._resume)

    def _resume(self) -> None:
        self._pause = None
        self._update()

    def _tell(
        self,
        index: int,
        state: State,
        *,
        url: str | None = None,
        seconds: float | None = None,
        retry_after: int | None = None,
        error: dict[str, Any] | None = None,
    ) -> None:
        if not self._closed:
            self.send_queue.put(BlockMessage(self._playlist.blocks[index].id, state, url, seconds, retry_after, error))

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
