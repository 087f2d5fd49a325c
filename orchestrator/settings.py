"""Settings, one struct per concern, read from the environment once at start."""

import os
from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec

from orchestrator.lib.environment import Concern, Secret, SettingsError, env, numbers_by_name, read


class ServerSettings(Concern, frozen=True, kw_only=True):
    host: Annotated[str, env("LECTERN_HOST", "Address the REST API listens on.")] = "127.0.0.1"
    port: Annotated[int, env("LECTERN_PORT", "Port the REST API listens on.", ge=1, le=65535)] = 8000
    drain_seconds: Annotated[int, env("LECTERN_DRAIN_SECONDS", "How long open responses may take at stop.", ge=0)] = 5
    max_head_bytes: Annotated[
        int, env("LECTERN_MAX_HEAD_BYTES", "Largest request line with all headers, in bytes.", ge=4096)
    ] = 65_536
    max_body_bytes: Annotated[int, env("LECTERN_MAX_BODY_BYTES", "Largest request body, in bytes.", ge=1024)] = 8 << 20
    max_socket_message: Annotated[
        int, env("LECTERN_MAX_SOCKET_MESSAGE", "Largest message a WebSocket takes, in bytes.", ge=256)
    ] = 4_096


class AccountSettings(Concern, frozen=True, kw_only=True):
    key_memory_seconds: Annotated[
        float,
        env(
            "LECTERN_KEY_MEMORY", "Seconds a process trusts a key it has checked; a revoked one may last so long.", ge=0
        ),
    ] = 5.0


class LogSettings(Concern, frozen=True, kw_only=True):
    level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], env("LECTERN_LOG_LEVEL", "Least severe level that is logged.")
    ] = "INFO"
    format: Annotated[
        Literal["json", "console"], env("LECTERN_LOG_FORMAT", "One JSON object per line, or lines for people.")
    ] = "json"


class DatabaseSettings(Concern, frozen=True, kw_only=True):
    url: Annotated[Secret, env("DATABASE_URL", "Postgres: postgresql://user:password@host:port/database.")]
    pool_size: Annotated[int, env("LECTERN_DATABASE_POOL", "Connections each process may open.", ge=1, le=100)] = 8


class StoreSettings(Concern, frozen=True, kw_only=True):
    url: Annotated[str, env("STORE_URL", "Where audio is kept: file:///folder, s3://bucket/prefix, …")]


class CacheSettings(Concern, frozen=True, kw_only=True):
    """Of audio that was made and stays in the store, until it must make room."""

    budget_bytes: Annotated[
        int,
        env(
            "LECTERN_AUDIO_BUDGET",
            "Bytes of audio the store may hold; beyond, what was not used for longest is deleted. 0: no limit.",
            ge=0,
        ),
    ] = 20 << 30
    grace_seconds: Annotated[
        float, env("LECTERN_AUDIO_GRACE", "Seconds after its last use in which audio is never deleted.", ge=1)
    ] = 900.0
    look_seconds: Annotated[
        float, env("LECTERN_AUDIO_LOOK", "Pause between two looks at how much audio is stored.", gt=0)
    ] = 30.0
    adoption_seconds: Annotated[
        float,
        env("LECTERN_AUDIO_ADOPTION", "Pause between two rounds through the store for audio not known of.", gt=0),
    ] = 21_600.0


class DeliverySettings(Concern, frozen=True, kw_only=True):
    """How kept audio reaches the listener; see docs/audio-delivery.md."""

    way: Annotated[
        Literal["direct", "x-accel", "redirect"],
        env("LECTERN_AUDIO_DELIVERY", "Who sends kept audio: Lectern, the nginx in front of it, or the store."),
    ] = "direct"
    prefix: Annotated[
        str,
        env("LECTERN_ACCEL_PREFIX", "For x-accel: nginx's internal location of the store's folder.", pattern="^/"),
    ] = "/kept-audio/"
    link_seconds: Annotated[
        int, env("LECTERN_LINK_SECONDS", "For redirect: how long a signed address is good for.", ge=2, le=604_800)
    ] = 300


class TritonSettings(Concern, frozen=True, kw_only=True):
    address: Annotated[str, env("TRITON_URL", "Triton's gRPC address: host:port, or unix:/path of its socket.")]
    secret: Annotated[
        Secret,
        env("TRITON_SECRET", "What a Triton elsewhere asks for whose protocols are restricted by lectern-secret."),
    ] = Secret("")


class SpeechSettings(Concern, frozen=True, kw_only=True):
    default_model: Annotated[
        str,
        env(
            "LECTERN_DEFAULT_MODEL",
            "Model that speaks when none is named; also OpenAI's tts-1 and tts-1-hd. Left out: kokoro, else espeak.",
        ),
    ] = ""
    default_voice: Annotated[
        str, env("LECTERN_DEFAULT_VOICE", "Voice that speaks when none is named; left out: the model's own default.")
    ] = ""
    max_input: Annotated[
        int, env("LECTERN_SPEECH_MAX_INPUT", "Characters one speech request may carry.", ge=1, le=1_000_000)
    ] = 20_000
    first_seconds: Annotated[
        float,
        env("LECTERN_FIRST_SEGMENT", "Seconds of the first segment of a request, short for a quick start.", gt=0),
    ] = 5.0
    max_turns: Annotated[
        int, env("LECTERN_MAX_TURNS", "Turns that the dialogue of one request may have.", ge=1, le=10_000)
    ] = 500
    max_pause: Annotated[
        float, env("LECTERN_MAX_PAUSE", "Seconds of silence that one pause of a dialogue may have.", ge=0, le=60)
    ] = 10.0
    max_instructions: Annotated[
        int, env("LECTERN_MAX_INSTRUCTIONS", "Characters that instructions on how to speak may have.", ge=1, le=20_000)
    ] = 4_000
    max_lexicon: Annotated[
        int, env("LECTERN_MAX_LEXICON", "Entries that the lexicon of a request may have.", ge=1, le=1_000)
    ] = 500
    segments_ahead: Annotated[
        int, env("LECTERN_SEGMENTS_AHEAD", "Segments made ahead of the one being sent.", ge=0, le=16)
    ] = 2
    deadline_seconds: Annotated[
        float, env("LECTERN_SPEECH_DEADLINE", "Seconds a model may take for one segment, queue included.", gt=0)
    ] = 120.0
    encoder_threads: Annotated[int, env("LECTERN_ENCODER_THREADS", "Threads that encode audio.", ge=1, le=64)] = 4


class AdmissionSettings(Concern, frozen=True, kw_only=True):
    """What a web process asks of a model at once; what exceeds it waits, and is refused where it would wait long."""

    slots: Annotated[
        str,
        env(
            "LECTERN_MODEL_SLOTS",
            "Segments a web process has a model make at a time, such as kokoro=2,espeak=8; left out: what the model"
            " says that it can take.",
            pattern=r"^(\s*[\w.-]+\s*=\s*[1-9]\d{0,3}\s*(,|$))*$",
        ),
    ] = ""
    live_wait: Annotated[
        float, env("LECTERN_LIVE_WAIT", "Seconds a live request may be expected to wait before it is refused.", gt=0)
    ] = 2.0
    listener_wait: Annotated[
        float,
        env("LECTERN_LISTENER_WAIT", "The same for who listens already, and still has some seconds to hear.", gt=0),
    ] = 10.0
    listener_pace: Annotated[
        float,
        env(
            "LECTERN_LISTENER_PACE",
            "Seconds of speech that a listener is expected to use up in a second; for so many there is room.",
            gt=0,
        ),
    ] = 1.4
    encoder_wait: Annotated[
        float,
        env("LECTERN_ENCODER_WAIT", "Seconds that encoding may be late before nobody new is let in to listen.", gt=0),
    ] = 0.25
    encoder_share: Annotated[
        float,
        env(
            "LECTERN_ENCODER_SHARE",
            "Share of the processors that encoding may take; for so many listeners there is room. About as much again"
            " goes into sending and keeping what was encoded.",
            gt=0,
            le=1,
        ),
    ] = 0.3
    batch_wait: Annotated[
        float, env("LECTERN_BATCH_WAIT", "Seconds a batch request may be expected to wait before it is refused.", gt=0)
    ] = 600.0
    admission_wait: Annotated[
        float,
        env(
            "LECTERN_ADMISSION_WAIT",
            "Seconds that a request for which there is no room waits until there is, before it is refused; who reads a"
            " document block by block is refused at once. 0: so is everybody.",
            ge=0,
        ),
    ] = 30.0
    admission_queue: Annotated[
        int,
        env(
            "LECTERN_ADMISSION_QUEUE",
            "Requests that may so wait for a model; accounts share them. Who comes then is refused at once.",
            ge=1,
            le=10_000,
        ),
    ] = 64
    live_queue: Annotated[
        int,
        env("LECTERN_LIVE_QUEUE", "Live segments that may wait for a model; accounts share them.", ge=1, le=10_000),
    ] = 64
    batch_queue: Annotated[
        int,
        env("LECTERN_BATCH_QUEUE", "Batch segments that may wait for a model; accounts share them.", ge=1, le=10_000),
    ] = 256

    def slots_of(self, model: str) -> int | None:
        """None where nothing is said of the model."""
        return numbers_by_name(self.slots).get(model)


class BillingSettings(Concern, frozen=True, kw_only=True):
    prices: Annotated[
        str,
        env(
            "LECTERN_PRICES",
            "Micro-credits for a second of audio by model, such as kokoro=120,espeak=10; what is not named is free.",
            pattern=r"^([A-Za-z0-9_.-]+=\d{1,9}(,(?=.)|$))*$",
        ),
    ] = ""


class DocumentSettings(Concern, frozen=True, kw_only=True):
    max_characters: Annotated[
        int, env("LECTERN_DOCUMENT_MAX_CHARACTERS", "Characters one document may have.", ge=1, le=20_000_000)
    ] = 2_000_000
    max_title: Annotated[int, env("LECTERN_DOCUMENT_MAX_TITLE", "Characters a title may have.", ge=1, le=2_000)] = 300
    max_page: Annotated[int, env("LECTERN_MAX_PAGE", "Items one page of a list may have.", ge=1, le=10_000)] = 500


class PlaybackSettings(Concern, frozen=True, kw_only=True):
    window: Annotated[
        float, env("LECTERN_PLAYBACK_WINDOW", "Seconds of audio made ahead of a listener who asks for no other.", gt=0)
    ] = 60.0
    max_window: Annotated[
        float, env("LECTERN_PLAYBACK_MAX_WINDOW", "Seconds of audio a listener may have made ahead.", gt=0)
    ] = 600.0
    per_account: Annotated[
        int, env("LECTERN_PLAYBACKS_PER_ACCOUNT", "Playbacks one account may have open in a process.", ge=1)
    ] = 32
    per_process: Annotated[int, env("LECTERN_PLAYBACKS", "Playbacks a web process holds open.", ge=1)] = 1_000
    messages_per_second: Annotated[
        float,
        env("LECTERN_PLAYBACK_MESSAGES", "Messages a second a listener may send; for a moment five times more.", gt=0),
    ] = 10.0


class VoiceSettings(Concern, frozen=True, kw_only=True):
    """Of voices that an account makes for itself; see docs/voices.md."""

    per_account: Annotated[
        int, env("LECTERN_VOICES_PER_ACCOUNT", "Voices that one account may have of its own.", ge=0, le=10_000)
    ] = 100
    max_name: Annotated[int, env("LECTERN_VOICE_MAX_NAME", "Characters a voice's name may have.", ge=1, le=64)] = 64
    max_description: Annotated[
        int, env("LECTERN_VOICE_MAX_DESCRIPTION", "Characters a voice's description may have.", ge=1, le=10_000)
    ] = 500
    max_transcript: Annotated[
        int, env("LECTERN_VOICE_MAX_TRANSCRIPT", "Characters a prompt's transcript may have.", ge=1, le=10_000)
    ] = 1_000
    max_consent: Annotated[
        int, env("LECTERN_VOICE_MAX_CONSENT", "Characters a statement of consent may have.", ge=20, le=100_000)
    ] = 2_000
    max_bytes: Annotated[
        int, env("LECTERN_PROMPT_MAX_BYTES", "Largest audio file of a prompt, in bytes.", ge=1_024, le=1 << 30)
    ] = 16 << 20
    min_seconds: Annotated[
        float, env("LECTERN_PROMPT_MIN_SECONDS", "Seconds a prompt must have, without silence around it.", gt=0)
    ] = 3.0
    max_seconds: Annotated[
        float, env("LECTERN_PROMPT_MAX_SECONDS", "Seconds a prompt may have, without silence around it.", gt=0, le=60)
    ] = 30.0
    max_padding: Annotated[
        float, env("LECTERN_PROMPT_MAX_PADDING", "Seconds a file may be longer, with the silence around it.", ge=0)
    ] = 30.0
    min_rate: Annotated[
        int, env("LECTERN_PROMPT_MIN_RATE", "Lowest sample rate of a prompt, in Hz.", ge=8_000, le=192_000)
    ] = 16_000
    min_loudness: Annotated[
        float, env("LECTERN_PROMPT_MIN_LOUDNESS", "Least loudness of a prompt, in LUFS (EBU R128).", ge=-70, le=0)
    ] = -40.0
    max_silence: Annotated[
        float, env("LECTERN_PROMPT_MAX_SILENCE", "Share of a prompt that pauses may take.", ge=0, le=1)
    ] = 0.5
    max_clipping: Annotated[
        float, env("LECTERN_PROMPT_MAX_CLIPPING", "Share of a prompt's samples that may be clipped.", ge=0, le=1)
    ] = 0.001
    pace: Annotated[
        float,
        env(
            "LECTERN_PROMPT_PACE",
            "How many times slower or faster than usual speech a prompt may be, by its transcript.",
            gt=1,
        ),
    ] = 2.5
    decode_seconds: Annotated[
        float, env("LECTERN_PROMPT_DECODE_SECONDS", "Seconds that decoding a prompt's file may take.", gt=0)
    ] = 10.0
    decode_memory: Annotated[
        int, env("LECTERN_PROMPT_DECODE_MEMORY", "Bytes of memory that decoding a prompt's file may take.", ge=64 << 20)
    ] = 512 << 20
    uploads: Annotated[
        int, env("LECTERN_PROMPT_UPLOADS", "Files of prompts a web process looks at, or has waiting.", ge=1, le=1_000)
    ] = 8
    memory_bytes: Annotated[
        int, env("LECTERN_PROMPT_MEMORY", "Bytes of prompts' samples a web process keeps in memory.", ge=0)
    ] = 64 << 20


class HealthSettings(Concern, frozen=True, kw_only=True):
    probe_seconds: Annotated[float, env("LECTERN_PROBE_SECONDS", "Pause between two probes of a model.", gt=0)] = 4.0
    probe_timeout: Annotated[float, env("LECTERN_PROBE_TIMEOUT", "Seconds one proof may take.", gt=0)] = 5.0
    stale_seconds: Annotated[
        float, env("LECTERN_PROBE_STALE_SECONDS", "Age at which a proof no longer counts.", gt=0)
    ] = 15.0


class WorkerSettings(Concern, frozen=True, kw_only=True):
    concurrency: Annotated[int, env("LECTERN_WORKER_CONCURRENCY", "Jobs a worker runs at once.", ge=1, le=100)] = 2
    heartbeat_seconds: Annotated[
        float, env("LECTERN_WORKER_HEARTBEAT", "Pause between a worker's signs of life.", gt=0, le=60)
    ] = 2.0
    stalled_seconds: Annotated[
        float, env("LECTERN_WORKER_STALLED", "Silence after which a worker's jobs are given to others.", gt=0)
    ] = 6.0


class EmbeddedSettings(Concern, frozen=True, kw_only=True):
    """Of the stack that runs on one machine; the server processes do not read them."""

    models: Annotated[
        str,
        env(
            "LECTERN_MODELS",
            "Models the embedded Triton loads, by name, with commas; auto: espeak, and those that are installed.",
        ),
    ] = "auto"
    device: Annotated[
        Literal["cpu", "gpu"],
        env(
            "LECTERN_DEVICE",
            "What the embedded Triton's models run on; gpu needs ONNX Runtime for GPUs in their environment.",
        ),
    ] = "cpu"
    model_repository: Annotated[
        str, env("LECTERN_MODEL_REPOSITORY", "Folder of models; left out: model_repository/ of the checkout.")
    ] = ""
    model_repositories: Annotated[str, env("LECTERN_MODEL_REPOSITORIES", "More folders of models, with colons.")] = ""
    engine_python: Annotated[
        str,
        env(
            "LECTERN_ENGINE_PYTHON",
            "Python of the environment that Higgs Audio's engine runs in; left out: .venvs/vllm, if it is there.",
        ),
    ] = ""
    postgres_user: Annotated[
        str, env("LECTERN_POSTGRES_USER", "Whom root runs Postgres as; left out: postgres, else nobody.")
    ] = ""
    sample: Annotated[bool, env("LECTERN_SAMPLE", "Whether `make up` reads the sample document aloud: 1 or 0.")] = True


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    server: ServerSettings
    accounts: AccountSettings
    log: LogSettings
    database: DatabaseSettings
    store: StoreSettings
    kept: CacheSettings
    delivery: DeliverySettings
    triton: TritonSettings
    speech: SpeechSettings
    admission: AdmissionSettings
    billing: BillingSettings
    documents: DocumentSettings
    playback: PlaybackSettings
    voices: VoiceSettings
    health: HealthSettings
    worker: WorkerSettings


_SIGNING: Final = (
    "s3",
    "s3a",
    "gs",
    "az",
    "azure",
    "adl",
    "abfs",
    "abfss",
)  # stores that sign addresses


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """Raises `SettingsError` with one line that names the variable and what is wrong with it."""
    concerns = {field.name: read(field.type, environment) for field in msgspec.structs.fields(Settings)}
    settings = Settings(**concerns)
    _check_delivery(settings)
    return settings


def _check_delivery(settings: Settings) -> None:
    way, scheme = settings.delivery.way, settings.store.url.partition(":")[0]
    if way == "x-accel" and scheme != "file":
        raise SettingsError("LECTERN_AUDIO_DELIVERY cannot be x-accel unless STORE_URL is a folder, file:///…")
    if way == "redirect" and scheme not in _SIGNING:
        raise SettingsError("LECTERN_AUDIO_DELIVERY cannot be redirect unless STORE_URL is an object store, s3://…")
    if way == "redirect" and settings.kept.grace_seconds <= settings.delivery.link_seconds:
        raise SettingsError("LECTERN_AUDIO_GRACE must be greater than LECTERN_LINK_SECONDS, or links would break.")
