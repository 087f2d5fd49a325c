"""The script of a request: ordered segments of 10 to 20 seconds, each with the key that its audio is cached under."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

import lectern_contract as contract
from lectern.triton import Reference
from lectern_contract import Break
from orchestrator.lib.errors.problems import NotFound
from orchestrator.speech.planner.voicing import ResolvedVoicing
from orchestrator.speech.rendition import Rendition
from orchestrator.text.blocks import cut_speech
from orchestrator.text.estimate import estimate_seconds
from orchestrator.text.spans import Span

SILENT_RATE: Final = 24_000  # Hz, of silence alone
_PAUSE_BEHIND: Final = re.compile(r"\[pause:[^\[\]\n]{0,200}\]\W*$")
_PAUSE_BEFORE: Final = re.compile(r"\W*\[pause:[^\[\]\n]{0,200}\]")


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The text that a segment's spans lead to, and the block or the turn of a dialogue that it belongs to.

    ``start`` and ``end`` bound what is spoken of the text; ``end`` None is its length.
    """

    text: str
    start: int = 0
    end: int | None = None
    block: UUID | None = None
    turn: int | None = None


class Utterance(msgspec.Struct, frozen=True, kw_only=True):
    """A text of any length for one voice.

    ``silence`` before it is in seconds at speed 1; None is what its text and the one before ask for.
    """

    text: str
    voicing: ResolvedVoicing
    origin: Origin
    silence: float | None = None


class SegmentText(NamedTuple):
    """The text of one segment. ``spans`` lead from it to the origin's text.

    ``silence`` before it is in seconds, as it is heard. The pause behind it is that of what ``ends`` with it.
    """

    text: str
    origin: Origin
    spans: Sequence[Span] = ()
    silence: float = 0.0
    ends: Break | None = None


class Segment(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """What one synthesis makes: 10 to 20 seconds of speech, at most `contract.MAX_TEXT` characters."""

    key: str
    text: str
    model: str
    voice: Mapping[str, Any]
    language: str
    speed: float  # within the model's own
    lexicon: Mapping[str, str] = {}
    markup: bool = False
    reference: Reference | None = None  # the recording that the voice imitates
    # Not in the key, as the same words may stand anywhere, and be heard at any tempo.
    spans: Sequence[Span] = ()
    silence: float = 0.0  # seconds before it
    tempo: float = 1.0  # of what is heard, beyond the speed that the model is asked for
    pause: float = 0.0  # seconds of silence behind it, as it is heard

    @cached_property
    def estimated_seconds(self) -> float:
        """What the model has to make, in seconds of its speech. What is cached needs no estimate."""
        return estimate_seconds(self.text) / self.speed

    @cached_property
    def rendition(self) -> Rendition:
        return Rendition(self.tempo, self.pause)


# Stands for a text without a word, such as "…" or an emoji alone. Applications that read a chat aloud send such texts
# line by line, and an error would stop them.
WORDLESS: Final = Segment(key="", text="", model="", voice={}, language="", speed=1.0, silence=0.25)


class Script(msgspec.Struct, frozen=True):
    """The segments of one request, in order, and the origin of each. ``characters`` are those that were sent."""

    segments: Sequence[Segment]
    origins: Sequence[Origin]
    characters: int

    @property
    def is_wordless(self) -> bool:
        return self.segments[0] is WORDLESS


def script_of_utterances(utterances: Sequence[Utterance], first_seconds: float) -> Script:
    """Cuts the texts into segments. The first one lasts about ``first_seconds``, so that it is soon heard.

    A script without any word is a short silence.
    """
    texts: list[SegmentText] = []
    voicings: list[ResolvedVoicing] = []
    silence: float | None = None  # before an utterance without words, it goes to the next one
    for utterance in utterances:
        if utterance.silence is not None:
            silence = (silence or 0.0) + utterance.silence
        origin = utterance.origin
        target = None if texts else first_seconds
        for draft in cut_speech(utterance.text, language=utterance.voicing.language, first_seconds=target):
            spans = [(begin, end, first + origin.start, last + origin.start) for begin, end, first, last in draft.spans]
            if texts and silence is not None:  # in the place of the pause behind the one before
                texts[-1] = texts[-1]._replace(ends=None)
            asked = utterance.voicing.silence_before(silence or 0.0, behind_sound=bool(texts))
            texts.append(SegmentText(draft.spoken, origin, spans, asked, draft.ends))
            voicings.append(utterance.voicing)
            silence = None
    characters = sum(len(utterance.text) for utterance in utterances)
    if not texts:
        return Script([WORDLESS], [Origin(text="")], characters)
    for index, voicing in enumerate(voicings):
        if index + 1 == len(texts) or (voicing.markup and _is_pause_between(texts[index], texts[index + 1])):
            texts[index] = texts[index]._replace(ends=None)
    segments = [make_segment(text, voicing) for text, voicing in zip(texts, voicings, strict=True)]
    return Script(segments, [text.origin for text in texts], characters)


def _is_pause_between(text: SegmentText, following: SegmentText) -> bool:
    """Returns whether markup asks the model for a pause, which replaces the one between the segments."""
    return bool(_PAUSE_BEHIND.search(text.text) or _PAUSE_BEFORE.match(following.text))


def script_of_blocks(blocks: Iterable[SegmentText], voicing: ResolvedVoicing) -> Script:
    """For a whole document's blocks, which are cut already. Raises `NotFound` if none is read aloud."""
    spoken = [block for block in blocks if block.text]
    if not spoken:
        raise NotFound("Nothing in this is read aloud, so there is no audio of it.")
    segments = [make_segment(block, voicing) for block in [*spoken[:-1], spoken[-1]._replace(ends=None)]]
    return Script(segments, [block.origin for block in spoken], sum(len(block.text) for block in spoken))


def script_of_block(block: SegmentText, voicing: ResolvedVoicing) -> Script:
    """For one block, with the pause behind it: the next one follows. Raises `NotFound` if it is not read aloud."""
    if not block.text:
        raise NotFound("This is not read aloud, so there is no audio of it.")
    return Script([make_segment(block, voicing)], [block.origin], len(block.text))


def make_segment(text: SegmentText, voicing: ResolvedVoicing) -> Segment:
    lexicon = _occurring(voicing.lexicon, text.text)
    voice = voicing.parameters_for(text.text)
    return Segment(
        key=_key(text.text, voicing, voice, lexicon),
        text=text.text,
        model=voicing.voice.model,
        voice=voice,
        language=voicing.language,
        speed=voicing.speed,
        lexicon=lexicon,
        markup=voicing.markup,
        reference=voicing.voice.prompt.reference if voicing.voice.prompt else None,
        spans=text.spans,
        silence=text.silence,
        tempo=voicing.tempo,
        pause=voicing.pause_behind(text.ends),
    )


def _occurring(lexicon: Mapping[str, str], text: str) -> Mapping[str, str]:
    """Returns the entries that are sent and in the key, so that a longer lexicon leaves other segments as they are."""
    folded = _folded(text)
    return {word: sound for word, sound in lexicon.items() if _folded(word) in folded}


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()  # composed, as models read both


def _key(text: str, voicing: ResolvedVoicing, voice: Mapping[str, Any], lexicon: Mapping[str, str]) -> str:
    """Returns the SHA-256, in hex, over everything that changes the samples and nothing that does not."""
    identity: tuple[Any, ...] = (
        contract.VERSION,
        voicing.voice.model,
        voicing.voice.model_version,
        voice,
        voicing.language,
        float(voicing.speed),
        lexicon,
        text,
    )
    if voicing.markup:
        identity += ("markup",)
    if (prompt := voicing.voice.prompt) is not None:
        identity += (prompt.digest, prompt.transcript)
    return hashlib.sha256(msgspec.json.encode(identity, order="sorted")).hexdigest()
