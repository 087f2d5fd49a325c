"""Settings of speech: models, limits of a request, admission, the audio cache, delivery."""

from typing import Annotated, Literal

from orchestrator.lib.environment import EnvSettings, env, numbers_by_name


class CacheSettings(EnvSettings, frozen=True, kw_only=True):
    """Cached audio stays in the store until its bytes are needed for newer audio."""

    budget_bytes: Annotated[
        int,
        env(
            "LECTERN_CACHE_BUDGET",
            "Bytes of audio in the cache; beyond that, the least recently used is evicted. 0: no limit.",
            ge=0,
        ),
    ] = 20 << 30
    grace_seconds: Annotated[
        float, env("LECTERN_CACHE_GRACE", "Seconds after its last use in which audio is never evicted.", ge=1)
    ] = 900.0
    check_seconds: Annotated[
        float, env("LECTERN_CACHE_CHECK", "Seconds between two checks of the cache's size.", gt=0)
    ] = 30.0
    reconcile_seconds: Annotated[
        float,
        env(
            "LECTERN_CACHE_RECONCILE",
            "Seconds between two comparisons of the cache's index with the whole store.",
            gt=0,
        ),
    ] = 21_600.0


class DeliverySettings(EnvSettings, frozen=True, kw_only=True):
    """How cached audio reaches the listener; see docs/audio-delivery.md."""

    way: Annotated[
        Literal["direct", "x-accel", "redirect"],
        env("LECTERN_AUDIO_DELIVERY", "Who sends cached audio: Lectern, the nginx in front of it, or the store."),
    ] = "direct"
    prefix: Annotated[
        str,
        env("LECTERN_ACCEL_PREFIX", "For x-accel: nginx's internal location of the store's folder.", pattern="^/"),
    ] = "/cached-audio/"
    link_seconds: Annotated[
        int, env("LECTERN_LINK_SECONDS", "For redirect: seconds for which a signed address is valid.", ge=2, le=604_800)
    ] = 300


class SpeechSettings(EnvSettings, frozen=True, kw_only=True):
    default_model: Annotated[
        str,
        env(
            "LECTERN_DEFAULT_MODEL",
            "Model that speaks where a request names none, or one of OpenAI's. Left out: kokoro, else espeak.",
        ),
    ] = ""
    default_voice: Annotated[
        str,
        env("LECTERN_DEFAULT_VOICE", "Voice that speaks where a request names none. Left out: the model's default."),
    ] = ""
    max_input: Annotated[
        int, env("LECTERN_SPEECH_MAX_INPUT", "Characters in one speech request.", ge=1, le=1_000_000)
    ] = 20_000
    first_seconds: float = 5.0  # of the first segment of a request: short, for a quick start
    max_turns: Annotated[int, env("LECTERN_MAX_TURNS", "Turns in the dialogue of one request.", ge=1, le=10_000)] = 500
    max_pause: float = 10.0  # seconds of silence in one pause of a dialogue
    max_instructions: int = 4_000  # characters of instructions on how to speak
    max_lexicon: Annotated[int, env("LECTERN_MAX_LEXICON", "Entries in the lexicon of a request.", ge=1, le=1_000)] = (
        500
    )
    segments_ahead: int = 2  # segments synthesized ahead of the one that is sent
    deadline_seconds: Annotated[
        float, env("LECTERN_SPEECH_DEADLINE", "Seconds for the synthesis of one segment, its wait included.", gt=0)
    ] = 120.0
    encoder_threads: Annotated[int, env("LECTERN_ENCODER_THREADS", "Threads that encode audio.", ge=1, le=64)] = 4


class AdmissionSettings(EnvSettings, frozen=True, kw_only=True):
    """How much a web process asks of a model at once. The rest waits, and is refused where it would wait long."""

    slots: Annotated[
        str,
        env(
            "LECTERN_MODEL_SLOTS",
            "Segments that a web process has a model synthesize at a time, such as kokoro=2,espeak=8. Left out: as"
            " many as the model's card says.",
            pattern=r"^(\s*[\w.-]+\s*=\s*[1-9]\d{0,3}\s*(,|$))*$",
        ),
    ] = ""
    listener_pace: float = 1.4  # seconds of speech that a listener uses up in a second: playback at up to that speed
    encoder_wait: float = 0.25  # seconds that encoding may be late before no new listener is admitted
    encoder_share: float = 0.3  # of the processors, for encoding; about as much again goes into sending and storing
    admission_wait: Annotated[
        float,
        env(
            "LECTERN_ADMISSION_WAIT",
            "Seconds within which a request is promised its turn at the model. It is refused at once if the work"
            " before it takes longer, and later if its turn does not come. 0: it is refused if it would wait at all.",
            ge=0,
        ),
    ] = 30.0
    batch_wait: Annotated[
        float,
        env("LECTERN_BATCH_WAIT", "The same for requests in the batch lane.", gt=0),
    ] = 600.0
    admission_queue: Annotated[
        int,
        env(
            "LECTERN_ADMISSION_QUEUE",
            "Requests that may wait for a model; accounts share them. Further ones are refused at once.",
            ge=1,
            le=10_000,
        ),
    ] = 64
    batch_queue: int = 256  # the same for requests in the batch lane

    def slots_by_model(self) -> dict[str, int]:
        """Returns those of the models that the setting names."""
        return numbers_by_name(self.slots)
