"""What stands for a text without a word, such as "…" or an emoji alone: a short silence, which no model makes.

Applications send such texts where they read a chat aloud line by line, and an error would stop them.
"""

from collections.abc import AsyncGenerator
from typing import Final

import numpy as np

from lectern.triton import Chunk
from orchestrator.speech.planner.segments import Segment
from orchestrator.speech.respond.usage import Tally

RATE: Final = 24_000  # Hz, as `pcm` is sent
_SAMPLES: Final = RATE // 4
WORDLESS: Final = Segment(key="", text="", model="", voice={}, language="", speed=1.0, silence=_SAMPLES / RATE)


async def silence(tally: Tally | None) -> AsyncGenerator[tuple[int, Chunk], None]:
    yield 0, Chunk(np.zeros(_SAMPLES, np.int16), RATE, [])
    if tally is not None:
        tally.add(WORDLESS, 0.0, made=False)
