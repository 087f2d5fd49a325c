"""Bodies of the REST API's answers."""

from typing import Any

DOCUMENTS = "/api/v1/documents"
BLOCKS = 7  # that are read aloud, in the fixture `book`


def document(**changes: Any) -> dict[str, Any]:
    return {
        "id": "d1",
        "title": "A title",
        "format": "markdown",
        "status": "ready",
        "error": None,
        "characters": 20,
        "blocks": 2,
        "estimated_seconds": 1.5,
        "created_at": "2026-01-02T03:04:05Z",
        **changes,
    }


def block(position: int, spoken: str = "hello") -> dict[str, Any]:
    return {
        "id": f"b{position}",
        "position": position,
        "role": "paragraph",
        "level": None,
        "shown": "hello",
        "spoken": spoken,
        "spans": [[0, 5, 0, 5]],
        "parts": [],
        "estimated_seconds": 0.5,
    }


def audio_path(position: int) -> str:
    return f"{DOCUMENTS}/d1/blocks/b{position}/audio"
