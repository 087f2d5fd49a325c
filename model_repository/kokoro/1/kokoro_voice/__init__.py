"""Speaks a segment with Kokoro: sentences to phonemes, phonemes to sound, and sound to one stream with word marks."""
