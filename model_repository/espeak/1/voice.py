"""eSpeak NG's voices; the backend `voice` loads this file by its name."""

from espeak_voice.voice import Voice

__all__ = ["Voice"]
