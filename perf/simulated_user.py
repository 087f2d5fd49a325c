"""A simulated user: fetches a document block by block, as an application does, and plays it as people do."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from typing import Final

from perf.http_client import Connection
from perf.simulated_player import OggDuration, Player
from perf.stack import Stack

RATES: Final = (1.0, 1.0, 1.0, 1.25, 1.25, 1.5, 2.0)  # of playing; one is drawn for each user
LOW: Final = 15.0  # seconds of audio that are buffered when the next block is asked for
PAUSE_EVERY, PAUSE_FOR = 45.0, (3.0, 12.0)  # seconds
JUMP_EVERY, JUMP_OVER = 30.0, (2, 6)  # seconds, blocks
GLANCE: Final = 0.1  # seconds between two looks at how much is buffered
OK, BUSY = 200, 503


@dataclass
class Refusal:
    starting: bool  # whether the user had heard nothing yet
    seconds: float  # from the request to the whole answer
    retry_after: float
    admitted_then: bool | None = None  # when it was asked again; None: it was not, as the time was over


@dataclass
class Experience:
    """What one user experienced; all times are seconds."""

    rate: float
    start: list[float] = field(default_factory=list)  # to the first audio, from the request that was admitted
    jumps: list[float] = field(default_factory=list)
    underruns: list[float] = field(default_factory=list)
    played: float = 0.0  # seconds of audio
    refusals: list[Refusal] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class SimulatedUser:
    def __init__(self, stack: Stack, addresses: list[str], chance: random.Random) -> None:
        """``addresses``: of the blocks' audio, in order."""
        self._stack = stack
        self._addresses = addresses
        self._chance = chance
        self.experience = Experience(chance.choice(RATES))
        self._player = Player(self.experience.rate, time.perf_counter())
        self._block = 0
        self._asked_at: float | None = 0.0  # while the first audio after the start or a jump is waited for

    async def play(self, *, until: float) -> None:
        """``until``: on the clock of `time.perf_counter`."""
        pause, jump = self._next(PAUSE_EVERY), self._next(JUMP_EVERY)
        reading = asyncio.create_task(self._read())
        try:
            while (now := time.perf_counter()) < until:
                await asyncio.sleep(max(0.0, min(pause, jump, until) - now))
                now = time.perf_counter()
                if now >= until:
                    break
                if now >= pause:
                    self._player.pause(now)
                    await asyncio.sleep(min(self._chance.uniform(*PAUSE_FOR), until - now))
                    self._player.resume(time.perf_counter())
                    pause = self._next(PAUSE_EVERY)
                elif self.experience.start:  # nobody jumps in what they could not begin
                    await _ended(reading)
                    self._player.jump(time.perf_counter())
                    self._block += self._chance.randint(*JUMP_OVER)
                    self._asked_at = 0.0
                    reading = asyncio.create_task(self._read())
                    jump = self._next(JUMP_EVERY)
                else:
                    jump = self._next(JUMP_EVERY)
        finally:
            await _ended(reading)
            self._player.end(time.perf_counter())
            self.experience.underruns, self.experience.played = self._player.underruns, self._player.played

    def _next(self, every: float) -> float:
        return time.perf_counter() + self._chance.expovariate(1 / every)

    async def _read(self) -> None:
        """Fetches block after block, the next one when little is buffered."""
        while self._block < len(self._addresses):  # who has come to the end hears the rest and has nothing to wait for
            self._player.advance(time.perf_counter())
            if self._player.buffered > LOW:
                await asyncio.sleep(GLANCE)
                continue
            try:
                # One for each block: the server closes what is idle, and a client would open it again unseen.
                async with self._stack.connection() as connection:
                    if await self._fetch(connection):
                        self._block += 1
            except (OSError, EOFError, ValueError) as error:
                self.experience.failures.append(repr(error))
                await asyncio.sleep(1)

    async def _fetch(self, connection: Connection) -> bool:
        """Returns whether the block has come; if it was refused, returns when the user may ask again."""
        began = time.perf_counter()
        if self._asked_at is not None:
            self._asked_at = began
        status, headers = await connection.begin(self._addresses[self._block])
        asked_again = self.experience.refusals[-1] if self.experience.refusals else None
        if asked_again is not None and asked_again.admitted_then is None:
            asked_again.admitted_then = status == OK
        if status != OK:
            said = b"".join([chunk async for chunk in connection.chunks()])
            if status != BUSY:
                raise ValueError(f"{status}: {said[:300]!r}")
            retry_after = float(headers.get("retry-after", "nan"))
            took = time.perf_counter() - began
            self.experience.refusals.append(Refusal(not self.experience.start, took, retry_after))
            await asyncio.sleep(retry_after)
            return False
        duration = OggDuration()
        async for chunk in connection.chunks():
            before = duration.seconds
            duration.feed(chunk)
            self._receive(duration.seconds - before)
        self._player.receive(0.0, time.perf_counter(), last=True)
        return True

    def _receive(self, seconds: float) -> None:
        now = time.perf_counter()
        if seconds > 0 and self._asked_at is not None:
            (self.experience.jumps if self.experience.start else self.experience.start).append(now - self._asked_at)
            self._asked_at = None
        self._player.receive(seconds, now)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
