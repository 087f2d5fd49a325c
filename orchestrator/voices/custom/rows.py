"""The statements that keep an account's voices. Every one of them names the owner."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import msgspec

from orchestrator.lib.database import run
from orchestrator.voices.custom.schemas import CustomVoiceView, Kind

_COLUMNS: Final = (
    "SELECT voice.id, slug, name, kind, model, language, description, created_at, mix, transcript, seconds,"
    " voice.digest, speaker, statement, recorded_at"
    " FROM voice LEFT JOIN voice_consent ON voice_consent.voice = voice.id"
)
_ALL: Final = f"{_COLUMNS} WHERE owner = {{}} ORDER BY voice.id DESC"
_ONE: Final = f"{_COLUMNS} WHERE owner = {{}} AND voice.id = {{}}"
# Plain SQL as every request that names a voice runs it.
_SPEAKING: Final = "SELECT id, model, slug, name, language, description, kind, digest, transcript, mix FROM voice"
_BY_ID: Final = f"{_SPEAKING} WHERE owner = {{}} AND id = {{}}"
_BY_NAME: Final = f"{_SPEAKING} WHERE owner = {{}} AND (slug = {{}} OR name = {{}}) ORDER BY model, id"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to speak by a voice."""

    id: UUID
    model: str
    slug: str
    name: str
    language: str
    description: str
    kind: Kind
    digest: str | None
    transcript: str | None
    mix: dict[str, float] | None


async def every(owner: UUID) -> list[CustomVoiceView]:
    """Newest first."""
    return [_view(row) for row in await run(_ALL, owner)]


async def one(owner: UUID, voice: UUID) -> CustomVoiceView | None:
    return next((_view(row) for row in await run(_ONE, owner, voice)), None)


async def by_id(owner: UUID, voice: UUID) -> Row | None:
    return next((_row(row) for row in await run(_BY_ID, owner, voice)), None)


async def by_name(owner: UUID, name: str) -> list[Row]:
    """One for each model at most, but for a name that is another's slug."""
    return [_row(row) for row in await run(_BY_NAME, owner, name, name)]


def preview_path(voice: UUID) -> str:
    return f"/api/v1/voices/{voice}/preview"


def _row(row: Mapping[str, Any]) -> Row:
    return msgspec.convert({**row, "mix": _mix(row)}, Row)


def _view(row: Mapping[str, Any]) -> CustomVoiceView:
    consent = {name: row[name] for name in ("speaker", "statement", "recorded_at")}
    prompt = {name: row[name] for name in ("transcript", "seconds", "digest")}
    whole = {
        **{name: row[name] for name in CustomVoiceView.__struct_fields__ if name in row},
        "preview": preview_path(row["id"]),
        "prompt": {**prompt, "consent": consent} if row["kind"] == "prompt" else None,
        "mix": _mix(row),
    }
    return msgspec.convert(whole, CustomVoiceView)


def _mix(row: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    return None if row["mix"] is None else msgspec.json.decode(row["mix"])
