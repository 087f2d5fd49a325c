"""Reads the bundled sample document aloud at a start, as a client would: it shows that all services work.

A start with nothing new keeps the audio of an earlier start.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lectern.atomic_file import atomic_file
from lectern.cli.progress_bars import ReadingBar
from lectern.errors import LecternError, NotFoundError
from lectern.read_aloud import Progress, read_aloud
from lectern.rest.aio import AsyncClient
from lectern.voicing import Voicing
from orchestrator.audio import decoding
from orchestrator.audio.decoding import UnreadableAudioError
from orchestrator.embedded import CannotStart
from orchestrator.embedded.home import Home, write_atomically
from orchestrator.lib.environment import read
from orchestrator.speech.settings import SpeechSettings

TEXT = Path(__file__).with_name("sample_document.md")
BATCH = Voicing(lane="batch")  # requests of other clients come first
RETRY_TIMEOUT = 120.0  # seconds of retries for one block while the model is busy: nobody listens yet
MIN_PEAK = 1_000  # of 32,767; any speech is louder


@dataclass(frozen=True, slots=True)
class Sound:
    seconds: float
    peak: int
    """The largest absolute value of the 16-bit samples."""


@dataclass(frozen=True, slots=True)
class CheckedReading:
    """A reading with checked audio."""

    progress: Progress
    sound: Sound


@dataclass(frozen=True, slots=True)
class StoredReading:
    """The reading whose audio a home has."""

    document: str
    """The id of the document."""
    identity: str = ""
    """See `identity_of`; empty until the audio is checked."""

    @classmethod
    def of(cls, home: Home) -> "StoredReading | None":
        if not home.sample_document.exists():
            return None
        document, _, identity = home.sample_document.read_text().partition("\n")
        return cls(document.strip(), identity.strip())

    def save(self, home: Home) -> None:
        write_atomically(home.sample_document, f"{self.document}\n{self.identity}\n", mode=0o600)


async def read_sample(home: Home, url: str, say: Callable[[str], None], *, anew: bool) -> CheckedReading | None:
    """Reads the sample into the home's `sample.opus`. Raises CannotStart if that fails, or the audio is wrong.

    The document stays on the server as an example; that of the start before is deleted. Returns None, unless `anew`, if
    an earlier reading is still there and a new one would not differ.
    """
    text = await asyncio.to_thread(TEXT.read_text, encoding="utf-8")
    key = (await asyncio.to_thread(home.api_key.read_text)).strip()
    earlier = await asyncio.to_thread(StoredReading.of, home)
    try:
        async with AsyncClient(url, api_key=key, retry_timeout=RETRY_TIMEOUT) as client:
            identity = await identity_of(client, text)
            if not anew and earlier is not None and await _is_current(earlier, identity, home, client):
                return None
            say("reading the sample document aloud")
            with atomic_file(home.sample) as output, ReadingBar() as bar:
                reading = await read_aloud(client, text, output, title="Sample", voicing=BATCH, on_progress=bar.show)
            if reading.failed:
                raise reading.failed[0].error
            StoredReading(reading.document.id).save(home)
            if earlier is not None:
                with suppress(NotFoundError):
                    await client.delete_document(earlier.document)
    except (LecternError, OSError) as error:
        raise CannotStart(f"the sample could not be read aloud: {error} (see {home.logs})") from error
    sound = await check_sound(home.sample, reading.progress.audio_seconds)
    StoredReading(reading.document.id, identity).save(home)
    return CheckedReading(reading.progress, sound)


async def identity_of(client: AsyncClient, text: str) -> str:
    """Returns a hash of what a reading depends on: text, models, weights, default voice, Lectern."""
    speech = read(SpeechSettings)
    inputs = [
        text,
        sorted((model.id, model.version) for model in await client.models()),
        [speech.default_model, speech.default_voice],
        (await client.status()).version,
    ]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


async def _is_current(earlier: StoredReading, identity: str, home: Home, client: AsyncClient) -> bool:
    """Returns whether a new reading would not differ, and the earlier file and document are still there."""
    if earlier.identity != identity or not home.sample.exists():
        return False
    try:
        await client.get_document(earlier.document)
    except NotFoundError:  # deleted by hand, or in another database
        return False
    return True


async def check_sound(path: Path, expected_seconds: float) -> Sound:
    """Decodes the file. Raises CannotStart unless it has as much speech as expected."""
    try:
        sound = await asyncio.to_thread(decode, path)
    except UnreadableAudioError as error:
        raise CannotStart(f"{path} cannot be decoded: {error}") from None
    if abs(sound.seconds - expected_seconds) > 1 + 0.01 * expected_seconds:
        raise CannotStart(f"{path} decodes to {sound.seconds:.1f} s, and {expected_seconds:.1f} s were expected")
    if sound.peak < MIN_PEAK:
        raise CannotStart(f"{path} is silent: its loudest sample is {sound.peak} of 32767")
    return sound


def decode(path: Path) -> Sound:
    """Raises UnreadableAudioError."""
    samples, rate = decoding.decode(path.read_bytes())
    return Sound(len(samples) / rate, int(np.abs(samples.astype(np.int32)).max(initial=0)))
