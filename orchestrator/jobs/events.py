"""A job as server-sent events: its view at each change, until it has ended.

A trigger notifies each change of a row, so that any process can follow a job that another one runs.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from typing import Final
from uuid import UUID

import msgspec

from orchestrator.accounts.requester import Requester
from orchestrator.jobs import service
from orchestrator.jobs.schemas import JobView
from orchestrator.jobs.service import ENDED
from orchestrator.lib.errors.problems import NotFound
from orchestrator.lib.pubsub import PubSub

EVENT_STREAM: Final = "text/event-stream"
_CHANNEL: Final = "lectern_job"
_KEEP_ALIVE_SECONDS: Final = 15.0  # proxies close a connection that carries nothing for 30 or 60
_RECONNECT: Final = b"retry: 2000\n\n"
_KEEP_ALIVE: Final = b": still here\n\n"


class JobEvents:
    def __init__(self, pubsub: PubSub) -> None:
        self._followers: defaultdict[UUID, set[asyncio.Event]] = defaultdict(set)
        pubsub.subscribe(_CHANNEL, self._changed, self._catch_up)

    async def follow(self, requester: Requester, job: UUID, known: int | None) -> AsyncGenerator[bytes, None]:
        """Yields an event for each version of the job after the ``known`` one. Ends with the job.

        What changes between two reads is told once: a version is a whole view, not a difference. Raises `NotFound`.
        """
        changed = asyncio.Event()
        self._followers[job].add(changed)
        try:
            view = await service.get(requester, job)
            yield _RECONNECT
            while True:
                if view.version != known:
                    known = view.version
                    yield b"id: %d\ndata: %s\n\n" % (view.version, msgspec.json.encode(view))
                if view.state in ENDED:
                    return
                if not await _within(changed, _KEEP_ALIVE_SECONDS):
                    yield _KEEP_ALIVE
                changed.clear()
                try:
                    view = await service.get(requester, job)
                except NotFound:  # deleted meanwhile
                    return
        finally:
            self._followers[job].discard(changed)
            if not self._followers[job]:
                del self._followers[job]

    def _changed(self, payload: str) -> None:
        for follower in self._followers.get(UUID(payload), ()):
            follower.set()

    async def _catch_up(self, _: float) -> None:
        """While nothing was received, anything may have changed."""
        for followers in self._followers.values():
            for follower in followers:
                follower.set()


def has_nothing_new(view: JobView, known: int | None) -> bool:
    """Returns whether a client that knows this version has seen the end of the job."""
    return view.state in ENDED and view.version == known


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
