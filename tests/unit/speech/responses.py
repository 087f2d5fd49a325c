"""Segments on the way that every response takes: made ahead and read in order, through one encoder in threads."""

import asyncio
from collections.abc import Sequence

from orchestrator.speech.audio.formats import Sound
from orchestrator.speech.audio.pcm import Samples
from orchestrator.speech.making.pieces import pieces_of
from orchestrator.speech.making.synthesis import Listening
from orchestrator.speech.plan import Segment
from orchestrator.speech.stream import stream
from orchestrator.speech.threads import EncoderThreads
from tests.unit.speech.said import piece, segment
from tests.unit.speech.sounds import cut
from tests.unit.speech.syntheses import ASKER, synthesis

PIECE = 2_205  # samples


def response(segments: Sequence[Samples], sound: Sound, rate: int, *, announced: bool = False) -> bytes:
    """The body of the response that says these segments."""

    async def body() -> bytes:
        threads = EncoderThreads(2)
        plans = [segment(str(number)) for number in range(len(segments))]
        total = sum(map(len, segments)) if announced else None
        try:
            audio = stream(pieces_of(plans, listen, ahead=2), sound, threads, total_samples=total)
            return b"".join([data async for data in audio])
        finally:
            threads.close()

    def listen(asked: Segment) -> Listening:
        made = synthesis(asked.key)
        for samples in cut(segments[int(asked.text)], PIECE):
            made.add(piece(samples, rate=rate))
        made.end()
        return made.listen(ASKER)

    return asyncio.run(body())
