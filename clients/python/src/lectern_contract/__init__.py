"""The speech contract: the tensors that every voice model in Triton takes and gives.

Triton's models, the direct client and the orchestrator all import this package, so it has no dependencies.
A model is decoupled with `max_batch_size: 0`; one request speaks one segment, and chunks of audio answer it.
"""

from typing import Final, Literal

VERSION: Final = 3  # part of every segment key: raise it when the same request would sound different

# Inputs
TEXT: Final = "text"  # BYTES [1], UTF-8, at most MAX_TEXT characters
VOICE: Final = "voice"  # BYTES [1], JSON object: the model's own voice parameters
LANGUAGE: Final = "language"  # BYTES [1], optional, BCP-47
SPEED: Final = "speed"  # FP32 [1], optional, within the `speeds` of the card, 1 = as recorded
LEXICON: Final = "lexicon"  # BYTES [1], optional, JSON object: word -> IPA
REFERENCE_AUDIO: Final = "reference_audio"  # INT16 [-1], optional: a voice prompt, mono
REFERENCE_RATE: Final = "reference_rate"  # INT32 [1], optional, Hz
REFERENCE_TEXT: Final = "reference_text"  # BYTES [1], optional, UTF-8
PREVIOUS_AUDIO: Final = "previous_audio"  # INT16 [-1], optional: what was spoken before, mono, to go on from
PREVIOUS_RATE: Final = "previous_rate"  # INT32 [1], optional, Hz
PREVIOUS_TEXT: Final = "previous_text"  # BYTES [1], optional, UTF-8

# Outputs, in each chunk
AUDIO: Final = "audio"  # INT16 [-1], mono PCM, may be empty in the last chunk
SAMPLE_RATE: Final = "sample_rate"  # INT32 [1], Hz
MARKS: Final = "marks"  # BYTES [1], JSON list of [first_sample, last_sample, text_start, text_end]
CARD: Final = "card"  # BYTES [1], JSON object: the only output when DESCRIBE is asked for

# Request parameters
LANE: Final = "lane"  # "live" (default) or "batch"
DEADLINE_MS: Final = "deadline_ms"  # integer, counted from the arrival in the model
DESCRIBE: Final = "describe"  # true: answer with the model's card instead of speech
MARKUP: Final = "markup"  # true: the text has markup, and not words alone; only for models whose card says `markup`
CANCEL: Final = "cancel"  # the id of another request: speak it no further

Lane = Literal["live", "batch"]
Break = Literal["clause", "sentence", "list_item", "paragraph", "heading"]  # what a pause follows
LANES: Final[tuple[Lane, ...]] = ("live", "batch")

MAX_TEXT: Final = 2_000
MAX_LEXICON: Final = 1_000  # words
MAX_LEXICON_TEXT: Final = 200  # characters, of a word and of its pronunciation
MIN_SPEED: Final = 0.25
MAX_SPEED: Final = 4.0

# Seconds of silence that a reader makes behind each of these, from sound to sound, at speed 1. A model makes those
# inside a text: behind a line end that of a list item, behind two that of a paragraph, behind three that of a heading.
PAUSES: Final[dict[Break, float]] = {
    "clause": 0.25, "sentence": 0.5, "list_item": 0.6, "paragraph": 0.8, "heading": 0.9,
}  # fmt: skip
LONGEST_PAUSE: Final = 10.0  # seconds
# A segment begins and ends with its sound: a model leaves at most this much silence around it, at speed 1.
SILENCE_BEFORE: Final = 0.04  # seconds
SILENCE_BEHIND: Final = 0.06  # seconds: a final s or f fades below what counts as sound

# For every request it holds, waiting or being spoken, a model sends something at least once a PULSE, an empty chunk if
# need be. Triton never ends a request whose model process died, so that silence is the only sign of it.
PULSE: Final = 1.0  # seconds
SILENCE: Final = 8.0  # seconds without a sign of life after which a request counts as lost

PROBE_TEXT: Final = "ready"  # spoken to prove that a model really answers


def split_speed(speed: float, speeds: tuple[float, float]) -> tuple[float, float]:
    """Returns the speed to ask a model for, and the tempo that makes the wanted speed of it.

    ``speeds``: the slowest and the fastest of the model's own, as its card has them. The tempo is rounded to a
    thousandth, which nobody hears.
    """
    own = min(max(speed, speeds[0]), speeds[1])
    return own, round(speed / own, 3)
