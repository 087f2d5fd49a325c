"""Settings of custom voices; see docs/voices.md."""

from typing import Annotated

from orchestrator.lib.environment import EnvSettings, env


class VoiceSettings(EnvSettings, frozen=True, kw_only=True):
    per_account: Annotated[int, env("LECTERN_VOICES_PER_ACCOUNT", "Custom voices of one account.", ge=0, le=10_000)] = (
        100
    )
    max_name: int = 64  # characters
    max_description: int = 500  # characters
    max_transcript: Annotated[
        int, env("LECTERN_VOICE_MAX_TRANSCRIPT", "Characters in a prompt's transcript.", ge=1, le=10_000)
    ] = 1_000
    max_consent: int = 2_000  # characters of the statement of consent
    max_bytes: Annotated[
        int, env("LECTERN_PROMPT_MAX_BYTES", "Largest audio file of a prompt, in bytes.", ge=1_024, le=1 << 30)
    ] = 16 << 20
    min_seconds: Annotated[
        float, env("LECTERN_PROMPT_MIN_SECONDS", "Shortest prompt in seconds, without the silence around it.", gt=0)
    ] = 3.0
    max_seconds: Annotated[
        float,
        env("LECTERN_PROMPT_MAX_SECONDS", "Longest prompt in seconds, without the silence around it.", gt=0, le=60),
    ] = 30.0
    max_padding: float = 30.0  # seconds of silence around the speech
    min_rate: int = 16_000  # Hz
    min_loudness: float = -40.0  # LUFS (EBU R128)
    max_silence: float = 0.5  # share of the recording that pauses may take
    max_clipping: float = 0.001  # share of the samples that may be clipped
    pace: float = 2.5  # how many times slower or faster than usual speech, by the transcript
    decode_seconds: float = 10.0  # of the process that decodes an upload
    decode_memory: int = 512 << 20  # bytes, of the same process
    uploads: Annotated[
        int,
        env("LECTERN_PROMPT_UPLOADS", "Uploaded prompts that a web process examines or has waiting.", ge=1, le=1_000),
    ] = 8
    memory_bytes: Annotated[
        int, env("LECTERN_PROMPT_MEMORY", "Bytes of prompts' samples that a web process keeps in memory.", ge=0)
    ] = 64 << 20
