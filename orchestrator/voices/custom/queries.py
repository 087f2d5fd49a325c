"""The SQL of custom voices. Every statement that reads or counts an account's voices names the owner."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from orchestrator.lib.database import run
from orchestrator.voices.schemas import CustomVoiceView, Kind

_COLUMNS: Final = (
    "SELECT voice.id, slug, name, kind, model, language, description, created_at, mix, transcript, seconds,"
    " voice.digest, speaker, statement, recorded_at"
    " FROM voice LEFT JOIN voice_consent ON voice_consent.voice = voice.id"
)
_ALL: Final = f"{_COLUMNS} WHERE owner = {{}} ORDER BY voice.id DESC"
_ONE: Final = f"{_COLUMNS} WHERE owner = {{}} AND voice.id = {{}}"
# Plain SQL, as every request that names a voice runs it.
_STORED_VOICE: Final = "SELECT id, model, slug, name, language, description, kind, digest, transcript, mix FROM voice"
_BY_ID: Final = f"{_STORED_VOICE} WHERE owner = {{}} AND id = {{}}"
_BY_NAME: Final = f"{_STORED_VOICE} WHERE owner = {{}} AND (slug = {{}} OR name = {{}}) ORDER BY model, id"
_COUNT: Final = "SELECT count(*) AS voices FROM voice WHERE owner = {}"
_LOCK_ACCOUNT: Final = "SELECT id FROM account WHERE id = {} FOR NO KEY UPDATE"
_EXISTING: Final = "SELECT id FROM voice WHERE id = ANY({}::uuid[])"


class StoredVoice(msgspec.Struct, frozen=True, kw_only=True):
    """The columns that a request in this voice needs."""

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


async def list_all(owner: UUID) -> list[CustomVoiceView]:
    """Returns the owner's voices, newest first."""
    return [_view(row) for row in await run(_ALL, owner)]


async def get(owner: UUID, voice: UUID) -> CustomVoiceView | None:
    return next((_view(row) for row in await run(_ONE, owner, voice)), None)


async def find_by_id(owner: UUID, voice: UUID) -> StoredVoice | None:
    return next((_stored(row) for row in await run(_BY_ID, owner, voice)), None)


async def find_by_name(owner: UUID, name: str) -> list[StoredVoice]:
    """Returns the voices of this slug or name: one for each model, unless one voice's name is another's slug."""
    return [_stored(row) for row in await run(_BY_NAME, owner, name, name)]


async def count(owner: UUID) -> int:
    (row,) = await run(_COUNT, owner)
    return int(row["voices"])


async def lock_account(owner: UUID) -> None:
    """Makes other transactions that create a voice of this account wait until this one ends."""
    await run(_LOCK_ACCOUNT, owner)


async def existing(voices: Sequence[UUID]) -> set[UUID]:
    """Returns the ids that belong to a voice of any account."""
    return {row["id"] for row in await run(_EXISTING, voices)}


def _preview_path(voice: UUID) -> str:
    return f"/api/v1/voices/{voice}/preview"


def _stored(row: Mapping[str, Any]) -> StoredVoice:
    return msgspec.convert({**row, "mix": _mix(row)}, StoredVoice)


def _view(row: Mapping[str, Any]) -> CustomVoiceView:
    consent = {name: row[name] for name in ("speaker", "statement", "recorded_at")}
    prompt = {name: row[name] for name in ("transcript", "seconds", "digest")}
    whole = {
        **{name: row[name] for name in CustomVoiceView.__struct_fields__ if name in row},
        "preview": _preview_path(row["id"]),
        "prompt": {**prompt, "consent": consent} if row["kind"] == "prompt" else None,
        "mix": _mix(row),
    }
    return msgspec.convert(whole, CustomVoiceView)


def _mix(row: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    return None if row["mix"] is None else msgspec.json.decode(row["mix"])
