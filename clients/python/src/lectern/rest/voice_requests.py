"""What to ask of the REST API about voices, without any transport."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from lectern.rest.requests import SYNTHESIS_SECONDS, File, Request, given

_VOICES: Final = "/api/v1/voices"
_LOOKING_SECONDS: Final = 60.0  # in which a recording is decoded and measured, behind those of others


def voices(model: str | None, language: str | None) -> Request:
    return Request("GET", _VOICES, given(model=model, language=language))


def preview(voice: str, model: str | None) -> Request:
    query = given(voice=voice, model=model)
    return Request("GET", "/v1/audio/voices/preview", query, least_timeout=SYNTHESIS_SECONDS)


def create(audio: bytes, fields: Mapping[str, str | None]) -> Request:
    # Not repeated: a server whose database was away for a moment may have kept the voice all the same.
    return Request(
        "POST", _VOICES, form=given(**fields), file=File("audio", audio), least_timeout=_LOOKING_SECONDS, repeat=False
    )


def create_mix(
    name: str, mix: Mapping[str, float], language: str | None, description: str | None, model: str | None
) -> Request:
    body = given(name=name, mix=dict(mix), language=language, description=description, model=model)
    return Request("POST", f"{_VOICES}/mixes", body=body, repeat=False)


def get(voice_id: str) -> Request:
    return Request("GET", _voice(voice_id))


def change(
    voice_id: str, name: str | None, description: str | None, language: str | None, transcript: str | None
) -> Request:
    body = given(name=name, description=description, language=language, transcript=transcript)
    return Request("PATCH", _voice(voice_id), body=body)


def delete(voice_id: str) -> Request:
    return Request("DELETE", _voice(voice_id))


def recording(voice_id: str) -> Request:
    return Request("GET", f"{_voice(voice_id)}/prompt")


def _voice(voice_id: str) -> str:
    return f"{_VOICES}/{quote(voice_id, safe='')}"
