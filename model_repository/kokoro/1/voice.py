"""Kokoro's voice; the backend `voice` loads this file by its name."""

from kokoro_voice.voice import Voice

__all__ = ["Voice"]
