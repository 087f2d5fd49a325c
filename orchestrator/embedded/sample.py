"""The bundled sample document, read aloud at a start as any client would have it read: proof that all parts work."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lectern.cli.progress import ReadingBar
from lectern.errors import LecternError, NotFoundError
from lectern.files import whole_file
from lectern.reading import Reading, read_aloud
from lectern.rest.aio import AsyncClient
from orchestrator.embedded.errors import CannotStart
from orchestrator.embedded.home import Home, write_atomically
from orchestrator.speech.audio import decoding
from orchestrator.speech.audio.decoding import UnreadableAudioError

TEXT = Path(__file__).with_name("sample.md")
LOUD = 1_000  # of 32,767: the least peak of any speech


@dataclass(frozen=True, slots=True)
class Sound:
    seconds: float
    peak: int
    """Of 16-bit samples."""


async def read_sample(home: Home, url: str) -> Reading:
    """Read the sample into the home's `sample.opus`. Raises CannotStart if it cannot be read.

    The document stays on the server, so that there is one to look at; that of the start before is deleted.
    """
    text = await asyncio.to_thread(TEXT.read_text, encoding="utf-8")
    key = (await asyncio.to_thread(home.api_key.read_text)).strip()
    earlier = await asyncio.to_thread(_earlier_document, home)
    try:
        async with AsyncClient(url, api_key=key) as client:
            with whole_file(home.sample) as output, ReadingBar() as bar:
                reading = await read_aloud(client, text, output, title="Sample", on_progress=bar.show)
            if earlier is not None:
                with suppress(NotFoundError):  # deleted by hand, or in another database
                    await client.delete_document(earlier)
    except (LecternError, OSError) as error:
        raise CannotStart(f"the sample could not be read aloud: {error} (see {home.logs})") from error
    write_atomically(home.sample_document, f"{reading.document.id}\n", mode=0o600)
    return reading


def _earlier_document(home: Home) -> str | None:
    return home.sample_document.read_text().strip() if home.sample_document.exists() else None


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
