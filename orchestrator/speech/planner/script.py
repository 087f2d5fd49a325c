"""What is said, by which voices, before and after it is cut into segments."""

from collections.abc import Sequence

import msgspec

from orchestrator.speech.planner.segments import Segment, Words
from orchestrator.speech.planner.timeline import Origin, Timeline
from orchestrator.speech.planner.voicing import Manner
from orchestrator.text.blocks import cut_speech
from orchestrator.text.spans import Span


class Utterance(msgspec.Struct, frozen=True, kw_only=True):
    """What one voice says: the part of its origin's text. ``silence`` before it is in seconds."""

    text: str
    manner: Manner
    origin: Origin
    silence: float = 0.0


class Script(msgspec.Struct, frozen=True):
    """Segments in order, and for each where its words come from."""

    segments: Sequence[Segment]
    origins: Sequence[Origin]
    characters: int

    def timeline(self) -> Timeline:
        return Timeline(self.segments, self.origins)


def cut(utterances: Sequence[Utterance], first_seconds: float) -> list[list[Words]]:
    """Of each utterance, what its segments say. The silence before one without words goes to the next that has some."""
    cuts: list[list[Words]] = []
    silence = 0.0
    for one in utterances:
        first = first_seconds if not any(cuts) else None
        silence += one.silence
        said = []
        for draft in cut_speech(one.text, language=one.manner.language, first_seconds=first):
            said.append(Words(draft.spoken, _moved(draft.spans, one.origin.start), silence))
            silence = 0.0
        cuts.append(said)
    return cuts


def _moved(spans: Sequence[Span], by: int) -> list[Span]:
    """From offsets in an utterance to offsets in the text of its origin."""
    return [(begin, end, shown_begin + by, shown_end + by) for begin, end, shown_begin, shown_end in spans]
