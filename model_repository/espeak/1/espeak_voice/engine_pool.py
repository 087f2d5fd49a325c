"""A pool of engine processes; a process that dies or hangs is replaced."""

import contextlib
import logging
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from espeak_voice.engine_messages import (
    Audio,
    Ended,
    FromEngine,
    Ready,
    Refused,
    Stop,
    Utterance,
    receive_from_engine,
    send,
)

START_LIMIT: Final = 20.0  # seconds until an engine must be ready
# Seconds. An engine makes the next chunk in milliseconds, so one that takes this long hangs. It must be replaced well
# before the guard gives up its probe of the model, which would end all engines.
SILENCE_LIMIT: Final = 2.0
STOP_LIMIT: Final = 1.0  # seconds in which an engine must have stopped
STEP: Final = 0.01  # seconds between two looks at whether to stop

FOLDER = Path(__file__).parents[1]  # of the model's version: the engine imports this package from it

log = logging.getLogger(__name__)


class EngineFailed(Exception):  # noqa: N818 - it names a state of affairs
    """An engine died or hung."""


class EngineRefused(Exception):  # noqa: N818 - it names a state of affairs
    """The engine does not take this utterance."""


class EngineProcess:
    """One engine; used by one thread at a time."""

    def __init__(self) -> None:
        """Starts the process and waits until it is ready. Raises EngineFailed."""
        ours, theirs = socket.socketpair()
        with theirs:
            python = Path(sys.prefix) / "bin" / "python"  # not sys.executable: that is Triton's stub
            self._process = subprocess.Popen(  # noqa: S603 - nothing of a request is in it
                [python, "-s", "-P", "-m", "espeak_voice.engine", str(theirs.fileno()), str(os.getpid())],
                env={**os.environ, "PYTHONPATH": str(FOLDER)},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._connection = Connection(ours.detach())
        self._speaking = False
        try:
            self.sample_rate = self._receive_ready().sample_rate
        except EngineFailed:
            self.kill()
            raise

    def alive(self) -> bool:
        return self._process.poll() is None

    def speak(self, utterance: Utterance, stop: threading.Event) -> Iterator[Audio]:
        """Yields audio until the utterance is spoken or `stop` is set. Raises EngineRefused and EngineFailed."""
        self._send(utterance)
        self._speaking = True
        while (message := self._receive(SILENCE_LIMIT, stop)) is not None:
            match message:
                case Audio():
                    yield message
                case Refused(reason):
                    raise EngineRefused(reason)
                case _:
                    return

    def reset(self) -> None:
        """Stops the utterance that it may still speak, so that it is ready for the next. Raises EngineFailed."""
        if self._speaking:
            self._send(Stop())
            while self._speaking:
                self._receive(STOP_LIMIT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._connection.close()

    def _receive_ready(self) -> Ready:
        message = self._receive(START_LIMIT)
        if not isinstance(message, Ready):
            raise EngineFailed(f"the engine began with {message}")
        return message

    def _send(self, message: Utterance | Stop) -> None:
        try:
            send(self._connection, message)
        except OSError:
            raise self._failure("the engine process died") from None

    def _receive(self, limit: float, stop: threading.Event | None = None) -> FromEngine | None:
        """Returns the next message, or None when `stop` is set first. Raises EngineFailed."""
        deadline = time.monotonic() + limit
        try:
            while not self._connection.poll(STEP):
                if stop is not None and stop.is_set():
                    return None
                if time.monotonic() > deadline:
                    raise self._failure(f"the engine process said nothing for {limit:g} s")
            message = receive_from_engine(self._connection)
        except (EOFError, OSError):
            raise self._failure("the engine process died") from None
        if isinstance(message, Ended | Refused):
            self._speaking = False
        return message

    def _failure(self, what: str) -> EngineFailed:
        """Makes the error; a failed engine has nothing to reset."""
        self._speaking = False
        return EngineFailed(what)


class EnginePool:
    """Engines for as many threads. A failed engine is replaced when the next utterance needs it."""

    def __init__(self, size: int) -> None:
        """Starts the engines. Raises EngineFailed if one does not start.

        The kernel ends an engine when the thread that started it ends, so that thread must live as long as the pool:
        it is the main thread here, and a worker thread of the backend for a replacement.
        """
        self._idle: queue.SimpleQueue[EngineProcess | None] = queue.SimpleQueue()
        self._engines = [EngineProcess() for _ in range(size)]
        self.sample_rate = self._engines[0].sample_rate
        self._lock = threading.Lock()
        for engine in self._engines:
            self._idle.put(engine)

    def speak(self, utterance: Utterance, stop: threading.Event) -> Iterator[Audio]:
        """Yields audio until the utterance is spoken or `stop` is set. Raises EngineRefused and EngineFailed.

        If an engine fails before its first audio, another one is asked, once.
        """
        silent = True
        try:
            for audio in self._speak_once(utterance, stop):
                silent = False
                yield audio
        except EngineFailed as error:
            if not silent:
                raise
            log.warning("asking another engine: %s", error)
            yield from self._speak_once(utterance, stop)

    def close(self) -> None:
        """Ends all engines; utterances in progress fail."""
        with self._lock:
            for engine in self._engines:
                with contextlib.suppress(OSError):
                    engine.kill()
            self._engines.clear()

    def _speak_once(self, utterance: Utterance, stop: threading.Event) -> Iterator[Audio]:
        engine = self._idle.get()
        try:
            engine = self._living(engine)
            try:
                yield from engine.speak(utterance, stop)
            finally:
                engine.reset()
        except EngineFailed:
            if engine is not None:
                self._remove(engine)
            engine = None
            raise
        finally:
            self._idle.put(engine)

    def _living(self, engine: EngineProcess | None) -> EngineProcess:
        if engine is not None:
            if engine.alive():
                return engine
            self._remove(engine)
        engine = EngineProcess()
        with self._lock:
            self._engines.append(engine)
        log.info("an engine was replaced")
        return engine

    def _remove(self, engine: EngineProcess) -> None:
        with self._lock:
            if engine in self._engines:
                self._engines.remove(engine)
        engine.kill()
