"""Kokoro with its real weights, spoken through a whole stack and heard by Whisper: `make test-ears`."""
