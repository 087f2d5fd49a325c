"""The bundled sample document, read aloud at a start as any client would have it read: proof that all parts work.

A start that has nothing new to say leaves the reading of the one before as it is.
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
from orchestrator.embedded.errors import CannotStart
from orchestrator.embedded.home import Home, write_atomically
from orchestrator.lib.environment import read
from orchestrator.speech.settings import SpeechSettings

TEXT = Path(__file__).with_name("sample.md")
YIELDING = Voicing(lane="batch")  # whoever asks for speech meanwhile comes first
RETRY_TIMEOUT = 120.0  # seconds for which a busy model is asked again for one block: nobody listens yet
LOUD = 1_000  # of 32,767: the least peak of any speech


@dataclass(frozen=True, slots=True)
class Sound:
    seconds: float
    peak: int
    """Of 16-bit samples."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A reading whose sound was checked."""

    progress: Progress
    sound: Sound


@dataclass(frozen=True, slots=True)
class Earlier:
    """The reading that a home holds."""

    document: str
    """Its id."""
    identity: str = ""
    """See `identity_of`; empty as long as its sound was not checked."""

    @classmethod
    def of(cls, home: Home) -> "Earlier | None":
        if not home.sample_document.exists():
            return None
        document, _, identity = home.sample_document.read_text().partition("\n")
        return cls(document.strip(), identity.strip())

    def keep(self, home: Home) -> None:
        write_atomically(home.sample_document, f"{self.document}\n{self.identity}\n", mode=0o600)


async def read_sample(home: Home, url: str, say: Callable[[str], None], *, anew: bool) -> Heard | None:
    """Read the sample into the home's `sample.opus`. Raises CannotStart if it cannot be read, or sounds wrong.

    The document stays on the server, so that there is one to look at; that of the start before is deleted. Unless it
    is to be read `anew`, None is returned where an earlier reading is still there and nothing would differ.
    """
    text = await asyncio.to_thread(TEXT.read_text, encoding="utf-8")
    key = (await asyncio.to_thread(home.api_key.read_text)).strip()
    earlier = await asyncio.to_thread(Earlier.of, home)
    try:
        async with AsyncClient(url, api_key=key, retry_timeout=RETRY_TIMEOUT) as client:
            identity = await identity_of(client, text)
            if not anew and earlier is not None and await _holds(earlier, identity, home, client):
                return None
            say("reading the sample document aloud")
            with atomic_file(home.sample) as output, ReadingBar() as bar:
                reading = await read_aloud(client, text, output, title="Sample", voicing=YIELDING, on_progress=bar.show)
            if reading.failed:
                raise reading.failed[0].error
            Earlier(reading.document.id).keep(home)
            if earlier is not None:
                with suppress(NotFoundError):
                    await client.delete_document(earlier.document)
    except (LecternError, OSError) as error:
        raise CannotStart(f"the sample could not be read aloud: {error} (see {home.logs})") from error
    sound = await check_sound(home.sample, reading.progress.audio_seconds)
    Earlier(reading.document.id, identity).keep(home)
    return Heard(reading.progress, sound)


async def identity_of(client: AsyncClient, text: str) -> str:
    """Return a hash of all that a reading depends on: the text, who may speak and by default does, the version."""
    speech = read(SpeechSettings)
    facts = [
        text,
        sorted(model.id for model in await client.models()),
        [speech.default_model, speech.default_voice],
        (await client.status()).version,
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


async def _holds(earlier: Earlier, identity: str, home: Home, client: AsyncClient) -> bool:
    """Say whether nothing would differ from the earlier reading, and its file and its document are still there."""
    if earlier.identity != identity or not home.sample.exists():
        return False
    try:
        await client.get_document(earlier.document)
    except NotFoundError:  # deleted by hand, or in another database
        return False
    return True


async def check_sound(path: Path, promised_seconds: float) -> Sound:
    """Decode the file, and raise CannotStart unless it holds as much speech as was promised."""
    try:
        sound = await asyncio.to_thread(decode, path)
    except UnreadableAudioError as error:
        raise CannotStart(f"{path} cannot be decoded: {error}") from None
    if abs(sound.seconds - promised_seconds) > 1 + 0.01 * promised_seconds:
        raise CannotStart(f"{path} decodes to {sound.seconds:.1f} s, and {promised_seconds:.1f} s were promised")
    if sound.peak < LOUD:
        raise CannotStart(f"{path} is silent: its loudest sample is {sound.peak} of 32767")
    return sound


def decode(path: Path) -> Sound:
    """Raises UnreadableAudioError."""
    samples, rate = decoding.decode(path.read_bytes())
    return Sound(len(samples) / rate, int(np.abs(samples.astype(np.int32)).max(initial=0)))
